//! How watchers learn of changes.

pub(crate) mod change_set;
pub(crate) mod feed;
pub(crate) mod filter;
