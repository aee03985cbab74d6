//! What the handler reports: its progress, and what it emits.

use std::sync::Arc;

use serde::Serialize;

use super::Record;
use crate::{
    error::Error,
    items::stream::ItemStream,
    progress::{Unit, sum::Sum},
    task::attempt::Attempt,
};

impl Record {
    pub(crate) fn inc(self: &Arc<Self>, by: u64) {
        self.tell_if(self.progress.inc(by));
    }

    pub(crate) fn set(self: &Arc<Self>, completed: u64) {
        self.tell_if(self.progress.set(completed));
    }

    pub(crate) fn set_total(self: &Arc<Self>, total: Option<u64>) {
        self.tell_if(self.progress.set_total(total));
    }

    pub(crate) fn set_unit(self: &Arc<Self>, unit: Unit) {
        self.tell_if(self.progress.set_unit(unit));
    }

    pub(crate) fn set_message(self: &Arc<Self>, message: &str) -> Result<(), Error> {
        self.tell_if(self.progress.set_message(message)?);
        Ok(())
    }

    pub(crate) fn set_detail(self: &Arc<Self>, detail: &impl Serialize) -> Result<(), Error> {
        self.tell_if(self.progress.set_detail(detail)?);
        Ok(())
    }

    /// The bar of a batch: what its members have reported together.
    pub(crate) fn set_sum(self: &Arc<Self>, sum: Sum) {
        self.tell_if(self.progress.set_sum(sum));
    }

    #[inline]
    fn tell_if(self: &Arc<Self>, due: bool) {
        if due {
            self.tell_progress();
        }
    }

    #[cold]
    fn tell_progress(self: &Arc<Self>) {
        // A handler's leftovers may report after the end; nobody hears of it.
        if !self.status().is_final() {
            self.notify();
        }
    }

    /// Whether anything was reported since this was asked last.
    pub(crate) fn take_touched(&self) -> bool {
        self.progress.take_touched()
    }

    /// What it emits.
    pub fn items(&self) -> &ItemStream {
        let mut is_new = false;
        let items = self.items.get_or_init(|| {
            is_new = true;
            Box::new(ItemStream::new(self.kind.policy.item_buffer, self.kind.policy.unread))
        });
        // Either this sees the end, or the end finds what was made here.
        if is_new && self.status().is_final() {
            items.end();
        }
        items
    }

    /// The handler has come to where it waits for something.
    pub(crate) fn attempt_waits(&self, attempt: &Attempt) {
        attempt.waits();
        self.ended.notify_waiters();
    }

    /// The handler is over. What is left of it must not wait to emit: its threads are waited for.
    pub(crate) fn handler_is_over(&self, attempt: &Attempt) {
        attempt.end();
        if let Some(items) = self.items.get() {
            items.wake_emits();
        }
    }
}
