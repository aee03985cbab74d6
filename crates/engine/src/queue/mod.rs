//! Which tasks may run, and in which order.

pub(crate) mod admission;
pub(crate) mod keys;
pub(crate) mod limit_of;
mod places;
mod table;
