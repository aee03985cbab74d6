//! Stores all tasks, and what is remembered of those that were removed.

pub(crate) mod gate;
mod joins;
mod kept;
pub(crate) mod registry;
pub(crate) mod retention;
pub(crate) mod used_ids;
