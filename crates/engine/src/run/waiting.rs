//! Changes to waiting tasks, and to the limits that they wait for.

use std::{collections::HashSet, sync::Arc};

use super::transitions::Transitions;
use crate::{
    error::{Error, refusal::Refusal},
    policy::on_exit::OnExit,
    queue::admission::{Admission, Hold, Scope},
    record::Record,
    task::status::TaskStatus,
};

impl Transitions {
    pub(crate) fn pause(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), Error> {
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
        tell(waits, record, not_pausable)
    }

    /// Returns those of `records` that the end of no other task lets run: they are held or delayed, or a limit of theirs
    /// is 0 or taken up by services, or by tasks that an exit leaves alone.
    pub(crate) fn stuck(&self, records: &[Arc<Record>]) -> Vec<Arc<Record>> {
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let lasting: Vec<_> = {
            let registry = self.registry.lock();
            let lasting = registry.all().filter(|record| {
                let policy = &record.kind.policy;
                policy.restart.is_some() || policy.on_exit == OnExit::Drop
            });
            lasting.map(|record| record.id).collect()
        };
        let stuck: HashSet<_> = self.common.admission.lock().stuck(&ids, &lasting).into_iter().collect();
        records.iter().filter(|record| stuck.contains(&record.id)).cloned().collect()
    }

    pub(crate) fn resume(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), Error> {
        let resumed = self.change_waiting(record, |admission| admission.release(record.id, Hold::User), not_pausable);
        // The turn of a queued task that doesn't wait has just come, so nothing holds it any more.
        if record.status() == TaskStatus::Queued { Ok(()) } else { resumed }
    }

    pub(crate) fn set_priority(self: &Arc<Self>, record: &Arc<Record>, priority: i32) -> Result<(), Error> {
        self.change_waiting(record, |admission| admission.set_priority(record.id, priority), not_queued)
    }

    fn change_waiting(
        self: &Arc<Self>,
        record: &Arc<Record>,
        change: impl FnOnce(&mut Admission) -> bool,
        refusal: impl FnOnce(&Record) -> Refusal,
    ) -> Result<(), Error> {
        let mut waits = true;
        self.move_up(|admission| {
            waits = admission.waits(record.id);
            waits && change(admission)
        });
        tell(waits, record, refusal)
    }

    pub(crate) fn set_limit(self: &Arc<Self>, of: Scope, limit: Option<usize>) {
        self.move_up(|admission| {
            admission.set_limit(of, limit);
            true
        });
    }
}

/// Tells the watchers about a change to a waiting task. Fails with `refusal` if the task is not waiting.
fn tell(waits: bool, record: &Arc<Record>, refusal: impl FnOnce(&Record) -> Refusal) -> Result<(), Error> {
    if !waits {
        return Err(refusal(record).into());
    }
    record.notify();
    Ok(())
}

fn not_queued(record: &Record) -> Refusal {
    Refusal::NotQueued { task: record.name().to_owned(), status: record.status().name() }
}

fn not_pausable(record: &Record) -> Refusal {
    let (task, status) = (record.name().to_owned(), record.status());
    if status.is_final() {
        Refusal::AlreadyEnded { task, status: status.name(), what: "pause or resume" }
    } else {
        Refusal::NotPausable { task, status: status.name() }
    }
}
