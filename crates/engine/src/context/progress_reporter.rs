use std::{fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;

use crate::{error::Error, progress::Unit, record::Record};

/// Reports a task's progress. [`TaskContext::progress`](crate::TaskContext::progress) makes one.
///
/// Report as often as you like: a report costs a few nanoseconds, and whoever shows the progress takes the
/// newest state when it is ready to. Nothing has to be throttled by hand.
pub struct ProgressReporter<'a, D = ()> {
    record: &'a Arc<Record>,
    types: PhantomData<fn(D)>,
}

#[allow(clippy::return_self_not_must_use)] // Each call reports; the value is for chaining.
impl<'a, D> ProgressReporter<'a, D> {
    pub(super) fn new(record: &'a Arc<Record>) -> Self {
        Self { record, types: PhantomData }
    }

    /// Says what is counted.
    pub fn unit(self, unit: Unit) -> Self {
        self.record.set_unit(unit);
        self
    }

    /// Says how many units there are in all: a number, or `None` while that is not known.
    pub fn total(self, total: impl Into<Option<u64>>) -> Self {
        self.record.set_total(total.into());
        self
    }

    /// `by` more units are done.
    #[inline]
    pub fn inc(self, by: u64) {
        self.record.inc(by);
    }

    /// `completed` units are done in all.
    pub fn set(self, completed: u64) {
        self.record.set(completed);
    }

    /// Says in words what the task is at, such as the name of a file.
    ///
    /// Fails, and changes nothing, when the message is longer than 1 KiB as JSON.
    pub fn message(self, message: impl AsRef<str>) -> Result<(), Error> {
        self.record.set_message(message.as_ref())
    }
}

impl<D: Serialize> ProgressReporter<'_, D> {
    /// Says what the task is at in the kind's own type.
    ///
    /// Fails, and changes nothing, when it can't be written as JSON or is larger than 4 KiB.
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
