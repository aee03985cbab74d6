//! The items that a handler emits, until its reader has them.

pub(crate) mod buffer;
pub(crate) mod item_type;
pub(crate) mod patience;
pub(crate) mod segment;
mod signs_of_life;
pub(crate) mod stream;
