//! Runs tasks. The rest of the crate calls [`engine`]. [`scheduler`] accepts tasks, [`supervisor`] runs their attempts
//! and [`clocks`] applies their delays and time limits. All three use [`transitions`].

pub(crate) mod batch;
mod batch_sum;
pub(crate) mod clocks;
pub(crate) mod engine;
pub(crate) mod handler;
pub(crate) mod runtimes;
pub(crate) mod scheduler;
pub(crate) mod start;
pub(crate) mod supervisor;
pub(crate) mod transitions;
mod waiting;
