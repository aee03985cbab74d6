pub(crate) mod batch;
pub(crate) mod clocks;
pub(crate) mod scheduler;
pub(crate) mod supervisor;
