use std::sync::Arc;

use crate::task::{current::Current, id::TaskId};

/// A task whose handler starts another one.
#[derive(Debug, Clone)]
pub(crate) struct Starter {
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
}

impl Starter {
    /// Returns the task whose code runs on this thread.
    pub(crate) fn here() -> Option<Self> {
        Current::here().map(|Current { id, name, .. }| Self { id, name })
    }
}
