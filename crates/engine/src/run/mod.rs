//! Runs tasks. The rest of the crate calls [`engine`]. [`scheduler`] takes tasks in, [`supervisor`] runs their attempts
//! and [`clocks`] stop them in time; all three use [`transitions`].

pub(crate) mod batch;
pub(crate) mod clocks;
pub(crate) mod engine;
pub(crate) mod handler;
pub(crate) mod scheduler;
pub(crate) mod start;
pub(crate) mod supervisor;
pub(crate) mod transitions;
mod waiting;
