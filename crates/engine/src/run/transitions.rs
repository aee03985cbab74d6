//! What moves a task from one status to the next, and what that does to the others.
//!
//! What may run is decided in [`admission`](crate::queue::admission), which task comes first with its key in
//! [`keys`](crate::queue::keys). Here that is acted upon. A task gives up its slot in the moment in which its record says that
//! it no longer runs: so there are never more running tasks to be seen than the limits say, and who learns of an end finds the
//! room that it leaves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    clock::WallClock,
    keep::{registry::Registry, retention::Retention},
    lock::{Lock, REGISTRY},
    policy::time_limit::TimeLimit,
    queue::admission::{Admission, Hold},
    record::{Common, Record, steps::Stopped},
    task::{id::TaskId, life::Stop, outcome::CancelReason, status::TaskStatus},
};

/// How long whoever watches waiting tasks may see old places in the queue.
const PLACES_MOVE: Duration = Duration::from_millis(100);
/// How many tasks of each queue are told that their places have moved; those behind learn theirs when they get there.
const PLACES_TOLD: usize = 100;
/// A handler that is dropped just when its grace period ends is not called overdue.
const OVERDUE_SLACK: Duration = Duration::from_millis(100);

/// Lets a task run that has its slot.
pub(crate) type Launch = fn(&Arc<Transitions>, Arc<Record>);

/// The tasks of one engine, and what moves them.
pub(crate) struct Transitions {
    pub(crate) runtime: Handle,
    pub(crate) common: Arc<Common>,
    pub(crate) registry: Lock<Registry, REGISTRY>,
    launch: Launch,
    /// The app is about to exit: no attempt is made again.
    is_closing: AtomicBool,
    places_move: AtomicBool,
}

impl Transitions {
    pub(crate) fn new(runtime: Handle, clock: WallClock, retention: Retention, launch: Launch) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            common: Arc::new(Common::new(clock)),
            registry: Lock::new(Registry::new(retention)),
            launch,
            is_closing: AtomicBool::new(false),
            places_move: AtomicBool::new(false),
        })
    }

    // Stopping.

    /// A time limit is reached. A limit of one attempt says which that was: it may be over by now.
    pub(crate) fn time_out(
        self: &Arc<Self>,
        record: &Arc<Record>,
        limit: TimeLimit,
        length: Duration,
        attempt: Option<u32>,
    ) {
        let why = Stop::TimeLimit(limit, limit.message(record.name(), length));
        if let Ok(stopped) = record.stop(why, attempt) {
            self.act_on(record, stopped);
        }
    }

    /// Cancels a task if it is at this attempt.
    pub(crate) fn cancel_attempt(self: &Arc<Self>, record: &Arc<Record>, why: CancelReason, attempt: u32) {
        if let Ok(stopped) = record.stop(Stop::Cancel(why), Some(attempt)) {
            self.act_on(record, stopped);
        }
    }

    /// Tells a task to stop, with its members if it is a batch. `Err` with its final status if it has ended.
    pub(crate) fn stop(self: &Arc<Self>, record: &Arc<Record>, why: Stop) -> Result<Stopped, TaskStatus> {
        let stopped = record.stop(why, None)?;
        self.act_on(record, stopped);
        Ok(stopped)
    }

    fn act_on(self: &Arc<Self>, record: &Arc<Record>, stopped: Stopped) {
        match stopped {
            Stopped::Already => {}
            Stopped::Ended => self.over(record),
            Stopped::Told => {
                self.keep_clock(record, watch_grace(Arc::clone(record)));
                let members = record.members.iter().flatten().filter_map(|id| self.find(*id));
                self.stop_all(members.collect(), CancelReason::Parent);
            }
        }
    }

    /// Cancels tasks; returns how many had not ended.
    pub(crate) fn stop_all(self: &Arc<Self>, mut records: Vec<Arc<Record>>, why: CancelReason) -> usize {
        // What waits first, and of that the last first: or it would get the room that the others leave.
        records.reverse();
        records.sort_by_cached_key(|record| self.common.admission.lock().is_running(record.id));
        records.iter().filter(|record| self.stop(record, Stop::Cancel(why)).is_ok()).count()
    }

    /// Has `clock` run until the task ends.
    pub(crate) fn keep_clock(&self, record: &Record, clock: impl Future<Output = ()> + Send + 'static) {
        record.keep_clock(AbortOnDropHandle::new(self.runtime.spawn(clock)));
    }

    /// From now on no attempt is made again.
    pub(crate) fn begin_to_close(&self) {
        self.is_closing.store(true, SeqCst);
    }

    /// Whether another attempt may follow one that is over.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.is_closing.load(SeqCst)
    }

    /// Refuses new tasks from now on; returns those that have not ended.
    pub(crate) fn close(&self) -> Vec<Arc<Record>> {
        let mut registry = self.registry.lock();
        registry.gate.close();
        registry.all().filter(|record| !record.status().is_final()).cloned().collect()
    }

    // Moving through the queue.

    /// A task has ended.
    pub(crate) fn over(self: &Arc<Self>, record: &Record) {
        let (next, expired) = {
            let (mut registry, now) = (self.registry.lock(), Instant::now());
            (registry.note_end(record, now), registry.expire(now))
        };
        // Its slot went with its status.
        self.move_up(|admission| {
            if let Some(next) = next {
                admission.release(next, Hold::Key);
            }
            true
        });
        if let Some(next) = next.and_then(|next| self.find(next)) {
            next.notify();
        }
        record.leave_batch();
        expired.iter().for_each(Record::mark_removed);
    }

    /// A task waits for its next attempt, and its slot went with its status: others may have it.
    pub(crate) fn let_others_run(self: &Arc<Self>) {
        self.move_up(|_| true);
    }

    /// Its next attempt may begin when there is room.
    pub(crate) fn come_back(self: &Arc<Self>, record: &Arc<Record>) {
        if record.requeue() {
            self.move_up(|admission| {
                admission.come_back(record.id);
                true
            });
            // Only now it has a place.
            record.notify();
        }
    }

    /// The delay that a task was started with is over.
    pub(crate) fn is_due(self: &Arc<Self>, record: &Arc<Record>) {
        self.move_up(|admission| admission.release(record.id, Hold::Delay));
        record.is_due();
    }

    /// Makes a change that may have made room, and lets run what has room now.
    pub(crate) fn move_up(self: &Arc<Self>, change: impl FnOnce(&mut Admission) -> bool) {
        let (admitted, waiting) = {
            let mut admission = self.common.admission.lock();
            if !change(&mut admission) {
                return;
            }
            (admission.admit(), admission.is_waiting())
        };
        self.tell_places(waiting);
        if !admitted.is_empty() {
            let admitted = self.registry.lock().find_all(&admitted);
            self.launch(admitted);
        }
    }

    /// Lets tasks run that have their slots.
    pub(crate) fn launch(self: &Arc<Self>, admitted: Vec<Arc<Record>>) {
        for record in admitted {
            (self.launch)(self, record);
        }
    }

    /// Has whoever watches waiting tasks look at their places again, soon and not more often than that.
    pub(crate) fn tell_places(self: &Arc<Self>, anybody_waits: bool) {
        if !anybody_waits || self.places_move.swap(true, SeqCst) {
            return;
        }
        let transitions = Arc::clone(self);
        self.runtime.spawn(async move {
            sleep(PLACES_MOVE).await;
            transitions.places_move.store(false, SeqCst);
            let first = transitions.common.admission.lock().first_waiting(PLACES_TOLD);
            let first = transitions.registry.lock().find_all(&first);
            first.iter().for_each(Record::notify);
        });
    }

    // Keeping.

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.registry.lock().get(id).cloned()
    }

    /// Lets go of ended tasks that are too many, too old or too large.
    pub(crate) fn expire(&self) {
        let expired = self.registry.lock().expire(Instant::now());
        expired.iter().for_each(Record::mark_removed);
    }
}

/// Marks the task as overdue if it outstays its grace period.
async fn watch_grace(record: Arc<Record>) {
    sleep(record.kind.policy.grace.saturating_add(OVERDUE_SLACK)).await;
    record.outstay();
}
