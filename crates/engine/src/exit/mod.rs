//! Ends tasks when the app exits.

pub(crate) mod guard;
pub(crate) mod lost;
pub(crate) mod shut_down;
