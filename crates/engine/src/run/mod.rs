//! Runs tasks. The rest of the crate calls [`engine`]. [`scheduler`] accepts tasks, [`supervisor`] runs their attempts
//! and [`clocks`] applies their delays and time limits. All three use [`transitions`].
//!
//! Only the handlers and what belongs to them run on the runtime for work: see [`runtimes`]. Whatever has to go on while
//! handlers hold all threads there, every timer in particular, runs on the control runtime.

pub(crate) mod batch;
mod batch_sum;
pub(crate) mod clocks;
pub(crate) mod engine;
mod grace;
pub(crate) mod handler;
pub(crate) mod held_threads;
mod runtime_end;
pub(crate) mod runtimes;
pub(crate) mod scheduler;
mod slots;
pub(crate) mod start;
pub(crate) mod supervisor;
pub(crate) mod transitions;
mod waiting;
