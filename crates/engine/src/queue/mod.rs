//! Who may run.

pub(crate) mod admission;
pub(crate) mod gate;
pub(crate) mod keys;
pub(crate) mod limit;
