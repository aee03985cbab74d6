use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{id::TaskId, outcome::TaskFailure};
use crate::logged::logged;

/// A value of the app's own type. A panic while it is dropped is logged and goes no further.
pub(crate) struct Quiet<T> {
    value: Option<T>,
    name: Arc<str>,
}

impl<T> Quiet<T> {
    /// `name` is the task's name, for the log.
    pub(crate) fn new(value: T, name: &Arc<str>) -> Self {
        Self { value: Some(value), name: Arc::clone(name) }
    }

    /// Takes the value out. From then on, a panic while it is dropped is the caller's to handle.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.value.take()
    }

    /// Drops the value, which belongs to task `id`.
    pub(crate) fn drop_for(&mut self, id: TaskId) {
        drop_quietly(self.value.take(), &self.name, Some(id));
    }
}

impl<T> Drop for Quiet<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            drop_quietly(value, &self.name, None);
        }
    }
}

/// Drops a value of the app's own type. A panic is logged and goes no further.
pub(crate) fn drop_quietly<T>(value: T, name: &str, id: Option<TaskId>) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        let id = id.map(tracing::field::display);
        let failure = TaskFailure::panic(name, panic);
        tracing::error!(task = logged(name), id, "{} (while it was dropped)", logged(failure.message));
    }
}
