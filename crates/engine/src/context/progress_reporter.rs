use std::{fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;

use super::kept::KeptDetails;
use crate::{
    error::{Error, refusal::Refusal},
    progress::{Unit, cell::Detail, conflation::Due},
    record::Record,
    task::attempt::Attempt,
};

/// Reports a task's progress. [`TaskContext::progress`](crate::TaskContext::progress) returns one.
///
/// Report as often as you like: a report costs a few nanoseconds, and readers take the newest state when they are
/// ready. You need not throttle anything. A report never fails the work.
///
/// It belongs to one attempt. When that attempt is over, it reports nothing any more: what a handler has left running
/// doesn't change the progress of the next attempt, or of a task that has ended.
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
    attempt: &'a Attempt,
    details: KeptDetails<'a, D>,
    types: PhantomData<fn(D)>,
}

#[allow(clippy::return_self_not_must_use)] // Each call reports; the value is for chaining.
impl<'a, D> ProgressReporter<'a, D> {
    pub(super) fn new(record: &'a Arc<Record>, attempt: &'a Attempt, details: KeptDetails<'a, D>) -> Self {
        Self { record, attempt, details, types: PhantomData }
    }

    /// Tells of a report. If it is the first count of the attempt, that began with `start`.
    #[inline]
    fn tell(self, due: Due, start: u64) -> Self {
        self.record.tell_if(self.attempt, due, start);
        self
    }

    /// Sets the unit that progress is counted in.
    pub fn unit(self, unit: Unit) -> Self {
        self.tell(self.attempt.progress.set_unit(unit), 0)
    }

    /// Sets how many units there are in total, or `None` while that is not known.
    pub fn total(self, total: impl Into<Option<u64>>) -> Self {
        self.tell(self.attempt.progress.set_total(total.into()), 0)
    }

    /// Adds `by` to the number of units that are done.
    #[inline]
    pub fn inc(self, by: u64) -> Self {
        self.tell(self.attempt.progress.inc(by), 0)
    }

    /// Sets how many units are done so far.
    pub fn set(self, completed: u64) -> Self {
        self.tell(self.attempt.progress.set(completed), completed)
    }

    /// Sets a text that says what the task is doing, such as the name of a file.
    ///
    /// If it is longer than 1 KiB as JSON, it is cut at a character and ends with `…`.
    pub fn message(self, message: impl AsRef<str>) -> Self {
        self.tell(self.attempt.progress.set_message(message.as_ref()), 0)
    }
}

#[allow(clippy::return_self_not_must_use)]
impl<D: Serialize> ProgressReporter<'_, D> {
    /// Sets a detail of the kind's own type that says what the task is doing.
    ///
    /// A detail that can't be written as JSON, or that is larger than 4 KiB as JSON, is left out: the previous one
    /// stays. The log has a warning for the first one of each task.
    pub fn detail(self, detail: D) -> Self {
        let due = match Detail::new(&detail) {
            Ok(json) => self.attempt.progress.set_detail(self.details.keep(json, detail)),
            Err(error) => {
                let due = self.attempt.progress.touch();
                if due.is_some() {
                    self.record.warn_of_detail(&error);
                }
                due
            }
        };
        self.tell(due.unwrap_or(Due::NOBODY), 0)
    }

    /// Like [`detail`](Self::detail), for code that has to know whether the detail is shown.
    ///
    /// Fails, and changes nothing, with [`ErrorKind::Unserializable`](crate::ErrorKind::Unserializable) when the detail
    /// can't be written as JSON, and with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when it is larger than
    /// 4 KiB as JSON. Fails with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when the attempt is over.
    pub fn try_detail(self, detail: D) -> Result<(), Error> {
        if self.attempt.progress.is_over() {
            return Err(Refusal::AttemptOver.into());
        }
        // It may end meanwhile: the detail's `Serialize` is the app's code.
        let json = self.details.keep(Detail::new(&detail)?, detail);
        let due = self.attempt.progress.set_detail(json).ok_or(Refusal::AttemptOver)?;
        self.tell(due, 0);
        Ok(())
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
