//! The tasks that there are, and what is remembered of those that have ended.

pub(crate) mod registry;
pub(crate) mod retention;
