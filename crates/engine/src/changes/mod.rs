//! How watchers learn of changes.

mod bounded;
pub(crate) mod change_set;
pub(crate) mod feed;
pub(crate) mod filter;
