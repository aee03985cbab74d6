//! Changes to waiting tasks, and to the limits that they wait for.

use std::sync::Arc;

use super::transitions::Transitions;
use crate::{
    error::{Error, refusal::Refusal},
    queue::admission::{Admission, Hold, Scope},
    record::Record,
};

impl Transitions {
    pub(crate) fn hold(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), Error> {
        let (waits, anybody_waits) = {
            let registry = self.registry.lock();
            // An exit would wait forever for a held task. It closes the gate under this lock, so it sees earlier holds.
            if registry.gate.is_closed() {
                return Err(Refusal::NotHeldAtExit { task: record.name().to_owned() }.into());
            }
            let mut admission = self.common.admission.lock();
            let waits = admission.waits(record.id);
            // A hold frees no slot, so nothing can move up.
            admission.hold(record.id, Hold::User);
            (waits, admission.is_waiting())
        };
        self.tell_places(anybody_waits);
        waited(waits, record)
    }

    /// Returns whether the task is held, or waits for the delay that it was started with.
    pub(crate) fn is_put_off(&self, record: &Record) -> bool {
        self.common.admission.lock().is_put_off(record.id)
    }

    pub(crate) fn release(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), Error> {
        self.change_waiting(record, |admission| admission.release(record.id, Hold::User))
    }

    pub(crate) fn set_priority(self: &Arc<Self>, record: &Arc<Record>, priority: i32) -> Result<(), Error> {
        self.change_waiting(record, |admission| admission.set_priority(record.id, priority))
    }

    fn change_waiting(
        self: &Arc<Self>,
        record: &Arc<Record>,
        change: impl FnOnce(&mut Admission) -> bool,
    ) -> Result<(), Error> {
        let mut waits = true;
        self.move_up(|admission| {
            waits = admission.waits(record.id);
            waits && change(admission)
        });
        waited(waits, record)
    }

    pub(crate) fn set_limit(self: &Arc<Self>, of: Scope, limit: Option<usize>) {
        self.move_up(|admission| {
            admission.set_limit(of, limit);
            true
        });
    }
}

/// Tells the watchers about a change to a waiting task. Fails if the task is not waiting.
fn waited(waits: bool, record: &Arc<Record>) -> Result<(), Error> {
    if !waits {
        return Err(Refusal::NotQueued { task: record.name().to_owned(), status: record.status().name() }.into());
    }
    record.notify();
    Ok(())
}
