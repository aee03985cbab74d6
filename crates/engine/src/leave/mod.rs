//! How tasks end with the app.

pub(crate) mod guard;
pub(crate) mod lost;
pub(crate) mod shut_down;
