//! What one task is, as plain data.

pub(crate) mod attempt;
pub(crate) mod cancel_reason;
pub(crate) mod current;
pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod id;
pub(crate) mod lending;
pub(crate) mod life;
pub(crate) mod outcome;
pub(crate) mod owner;
pub(crate) mod quiet;
pub(crate) mod status;
pub(crate) mod task_error;
pub(crate) mod time_limit;
pub(crate) mod waiting;
