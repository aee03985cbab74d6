use std::{fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;

use crate::{error::Error, progress::Unit, record::Record};

/// Reports a task's progress. [`TaskContext::progress`](crate::TaskContext::progress) returns one.
///
/// Report as often as you like: a report costs a few nanoseconds, and readers take the newest state when they are
/// ready. You need not throttle anything.
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
    pub fn inc(self, by: u64) {
        self.record.inc(by);
    }

    /// Sets how many units are done so far.
    pub fn set(self, completed: u64) {
        self.record.set(completed);
    }

    /// Sets a text that says what the task is doing, such as the name of a file.
    ///
    /// Fails, and changes nothing, when the message is longer than 1 KiB as JSON.
    pub fn message(self, message: impl AsRef<str>) -> Result<(), Error> {
        self.record.set_message(message.as_ref())
    }
}

impl<D: Serialize> ProgressReporter<'_, D> {
    /// Sets a detail of the kind's own type that says what the task is doing.
    ///
    /// Fails, and changes nothing, when the detail can't be written as JSON or is larger than 4 KiB.
    pub fn detail(self, detail: D) -> Result<(), Error> {
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
