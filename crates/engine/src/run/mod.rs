//! What runs tasks. [`engine`] is what the rest of the crate calls; [`scheduler`] takes tasks in, [`supervisor`] lives their
//! lives, [`clocks`] stop them in time, and all of them stand on [`transitions`].

pub(crate) mod batch;
pub(crate) mod clocks;
pub(crate) mod engine;
pub(crate) mod handler;
pub(crate) mod scheduler;
pub(crate) mod start;
pub(crate) mod supervisor;
pub(crate) mod transitions;
mod waiting;
