//! What is remembered of tasks that have ended.

pub(crate) mod registry;
pub(crate) mod retention;
