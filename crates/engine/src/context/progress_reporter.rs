use std::{fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;

use crate::{error::Error, progress::Unit, record::Record};

/// Reports a task's progress. [`TaskContext::progress`](crate::TaskContext::progress) returns one.
///
/// Report as often as you like: a report costs a few nanoseconds, and readers take the newest state when they are
/// ready. You need not throttle anything. A report never fails the work.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{TaskContext, Unit};
///
/// fn report(ctx: &TaskContext, file: &str, size: u64, read: u64) {
///     ctx.progress().unit(Unit::Bytes).total(size).message(file).set(read);
/// }
/// ```
pub struct ProgressReporter<'a, D = ()> {
    record: &'a Arc<Record>,
    types: PhantomData<fn(D)>,
}

#[allow(clippy::return_self_not_must_use)] // Each call reports; the value is for chaining.
impl<'a, D> ProgressReporter<'a, D> {
    pub(super) fn new(record: &'a Arc<Record>) -> Self {
        Self { record, types: PhantomData }
    }

    /// Sets the unit that progress is counted in.
    pub fn unit(self, unit: Unit) -> Self {
        self.record.set_unit(unit);
        self
    }

    /// Sets how many units there are in total, or `None` while that is not known.
    pub fn total(self, total: impl Into<Option<u64>>) -> Self {
        self.record.set_total(total.into());
        self
    }

    /// Adds `by` to the number of units that are done.
    #[inline]
    pub fn inc(self, by: u64) -> Self {
        self.record.inc(by);
        self
    }

    /// Sets how many units are done so far.
    pub fn set(self, completed: u64) -> Self {
        self.record.set(completed);
        self
    }

    /// Sets a text that says what the task is doing, such as the name of a file.
    ///
    /// If it is longer than 1 KiB as JSON, it is cut at a character and ends with `…`.
    pub fn message(self, message: impl AsRef<str>) -> Self {
        self.record.set_message(message.as_ref());
        self
    }
}

#[allow(clippy::return_self_not_must_use)]
impl<D: Serialize> ProgressReporter<'_, D> {
    /// Sets a detail of the kind's own type that says what the task is doing.
    ///
    /// A detail that can't be written as JSON, or that is larger than 4 KiB as JSON, is left out: the previous one
    /// stays. The log has a warning for the first one of each task.
    pub fn detail(self, detail: D) -> Self {
        if let Err(error) = self.record.set_detail(&detail) {
            self.record.leave_out_detail(&error);
        }
        self
    }

    /// Like [`detail`](Self::detail), for code that has to know whether the detail is shown.
    ///
    /// Fails, and changes nothing, with [`ErrorKind::Unserializable`](crate::ErrorKind::Unserializable) when the detail
    /// can't be written as JSON, and with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when it is larger than
    /// 4 KiB as JSON.
    pub fn try_detail(self, detail: D) -> Result<(), Error> {
        self.record.set_detail(&detail)
    }
}

impl<D> Clone for ProgressReporter<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for ProgressReporter<'_, D> {}

impl<D> fmt::Debug for ProgressReporter<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressReporter").field("id", &self.record.id).finish_non_exhaustive()
    }
}
