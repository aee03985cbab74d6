//! Stores all tasks, and what is remembered of those that were removed.

pub(crate) mod registry;
pub(crate) mod retention;
