//! What callers outside of Rust may have: their quotas, and the accounts of what they have used of them. All of it is plain
//! data, without locks, that takes the time as an argument.

pub(crate) mod accounts;
pub(crate) mod charge;
pub(crate) mod quotas;
mod token_bucket;
