//! Moves tasks from one status to the next, and carries out what follows for other tasks.
//!
//! [`admission`](crate::queue::admission) decides which tasks may run, and [`keys`](crate::queue::keys) which of the
//! tasks with one key comes first. This module acts on those decisions.
//!
//! Invariant: a task leaves its slot at the moment when its record stops showing it as running, or shows which tasks it
//! waits for. So nobody ever sees more running tasks than the limits allow, without those that wait for others, and a
//! caller that learns of an end finds the slot free.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::{
    grace::GracePeriods,
    held_threads::{self, Monitor},
    runtimes::Runtimes,
};
use crate::{
    clock::{Clocks, timers::Timers},
    keep::{registry::Registry, retention::Retention},
    lock::{Lock, QUEUE, REGISTRY},
    progress::sampler::Sampler,
    queue::admission::{Admission, Admitted, Hold},
    record::{Common, Record, shares::Gone, steps::Stopped},
    task::time_limit::TimeLimit,
    task::{cancel_reason::CancelReason, id::TaskId, life::Stop, owner::Owner, status::TaskStatus},
};

/// How long watchers may see outdated places in the queue.
const PLACES_MOVE: Duration = Duration::from_millis(100);
/// How many waiting tasks of each queue are marked when places have moved. Those further back are marked once they get
/// this far.
const PLACES_TOLD: usize = 100;

/// Launches a task that was given a slot.
pub(crate) type Launch = fn(&Arc<Transitions>, TaskId);

/// The tasks of one engine, and all that their transitions need.
pub(crate) struct Transitions {
    pub(crate) runtimes: Runtimes,
    pub(crate) common: Arc<Common>,
    pub(crate) registry: Lock<Registry, REGISTRY>,
    monitor: Arc<Monitor>,
    graces: Arc<GracePeriods>,
    launch: Launch,
    /// The app is about to exit: no attempt is followed by another.
    is_closing: AtomicBool,
    /// The work runtime has ended, and the log says so.
    pub(super) work_has_ended: AtomicBool,
    /// The watchers of waiting tasks are about to be told that places have moved.
    places_move: AtomicBool,
    /// The tasks whose turn has come since. Those that still wait for a thread then have no place any more.
    launched: Lock<Vec<Arc<Record>>, QUEUE>,
}

/// Tasks that were given slots.
pub(crate) struct Turns {
    begin: Vec<Arc<Record>>,
    /// These go on, if they are still at this attempt.
    go_on: Vec<(Arc<Record>, u32)>,
}

impl Turns {
    pub(crate) fn of(admitted: &Admitted, registry: &Registry) -> Self {
        let go_on = admitted.go_on.iter().filter_map(|(id, attempt)| Some((Arc::clone(registry.get(*id)?), *attempt)));
        Self { begin: registry.find_all(&admitted.begin), go_on: go_on.collect() }
    }
}

impl Transitions {
    pub(crate) fn new(runtimes: Runtimes, clocks: Clocks, retention: Retention, launch: Launch) -> Arc<Self> {
        let sampler = Sampler::new(runtimes.control.clone(), Record::sample);
        let common = Arc::new(Common::new(clocks, sampler, runtimes.control.clone(), &runtimes.work));
        let graces = GracePeriods::new(runtimes.control.clone(), Arc::clone(&common.timers));
        let transitions = Arc::new(Self {
            runtimes,
            common,
            registry: Lock::new(Registry::new(retention)),
            monitor: Arc::default(),
            graces,
            launch,
            is_closing: AtomicBool::new(false),
            work_has_ended: AtomicBool::new(false),
            places_move: AtomicBool::new(false),
            launched: Lock::default(),
        });
        let weak = Arc::downgrade(&transitions);
        transitions.common.find_with(move |id| weak.upgrade()?.find(id));
        transitions
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.common.timers
    }

    // Stopping.

    /// Stops a task that has reached a time limit, which is `length` long. `attempt` is the number of the attempt that
    /// is limited, which may be over by now; `None` for a limit on the whole task.
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

    /// Cancels a task if this attempt still runs.
    pub(crate) fn cancel_attempt(self: &Arc<Self>, record: &Arc<Record>, why: CancelReason, attempt: u32) {
        if let Ok(stopped) = record.stop(Stop::Cancel(why), Some(attempt)) {
            self.act_on(record, stopped);
        }
    }

    /// Tells a task to stop, and its members if it is a batch. Fails with its final status if it has ended.
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
                record.keep_grace(Box::new(self.graces.watch(record)));
                let members = record.members.iter().flatten().filter_map(|id| self.find(*id));
                self.stop_all(members.collect(), CancelReason::Parent);
            }
        }
    }

    /// Cancels tasks, which are given oldest first. Returns how many of them had not ended.
    pub(crate) fn stop_all(self: &Arc<Self>, mut records: Vec<Arc<Record>>, why: CancelReason) -> usize {
        self.sort_to_stop(&mut records);
        records.iter().filter(|record| self.stop(record, Stop::Cancel(why.clone())).is_ok()).count()
    }

    /// Sorts tasks, which are given oldest first: waiting tasks first, newest first. Otherwise they would get the slots of the
    /// tasks that were just stopped.
    fn sort_to_stop(&self, records: &mut [Arc<Record>]) {
        records.reverse();
        records.sort_by_cached_key(|record| self.common.admission.lock().is_running(record.id));
    }

    /// Gives back the share of a call in a task; `None` is the call that started it.
    pub(crate) fn leave(self: &Arc<Self>, record: &Arc<Record>, holder: &Owner, call: Option<TaskId>) {
        if let Some(stopped) = record.leave(holder, call) {
            self.act_on(record, stopped);
        }
    }

    /// Gives back all shares of those who `are_gone` in these tasks, which are given oldest first.
    pub(crate) fn depart(
        self: &Arc<Self>,
        mut records: Vec<Arc<Record>>,
        are_gone: &impl Fn(&Owner) -> bool,
        gone: Gone,
    ) {
        records.retain(|record| record.tells_any(are_gone));
        self.sort_to_stop(&mut records);
        for record in &records {
            let (stopped, calls) = record.depart(are_gone, gone);
            if !calls.is_empty() {
                let now = self.timers().awake_now();
                self.registry.lock().forget_joins(&calls, now);
            }
            if let Some(stopped) = stopped {
                self.act_on(record, stopped);
            }
        }
    }

    /// Runs `clock` until the task ends.
    pub(crate) fn keep_clock(&self, record: &Record, clock: impl Future<Output = ()> + Send + 'static) {
        record.keep_clock(AbortOnDropHandle::new(self.runtimes.control.spawn(clock)));
    }

    /// From now on, no attempt is followed by another.
    pub(crate) fn begin_to_close(&self) {
        self.is_closing.store(true, SeqCst);
    }

    /// Returns whether an attempt may be followed by another.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.is_closing.load(SeqCst)
    }

    /// Refuses new tasks from now on. Returns the tasks that have not ended, oldest first.
    pub(crate) fn close(&self) -> Vec<Arc<Record>> {
        let mut left: Vec<_> = {
            let mut registry = self.registry.lock();
            registry.gate.close();
            registry.all().filter(|record| !record.status().is_final()).cloned().collect()
        };
        left.sort_unstable_by_key(|record| record.order());
        left
    }

    // Moving through the queue.

    /// Deals with the end of a task: lets the next task with its key run, and forgets old tasks.
    pub(crate) fn over(self: &Arc<Self>, record: &Record) {
        let (next, expired) = {
            let (mut registry, now) = (self.registry.lock(), self.timers().awake_now());
            (registry.note_end(record, now), self.expire_in(&mut registry))
        };
        // The task has left its slot already, together with its status.
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
        self.have_left(&expired);
    }

    /// Launches the tasks that may run after another task has left its slot without having ended.
    pub(crate) fn let_others_run(self: &Arc<Self>) {
        self.move_up(|_| true);
    }

    /// Queues a task again for its next attempt.
    pub(crate) fn come_back(self: &Arc<Self>, record: &Arc<Record>) {
        if record.requeue() {
            self.move_up(|admission| {
                admission.come_back(record.id);
                true
            });
            // Notified again, because only now does it have a place in the queue.
            record.notify();
        }
    }

    /// Releases a task when the delay that it was started with is over.
    pub(crate) fn is_due(self: &Arc<Self>, record: &Arc<Record>) {
        self.move_up(|admission| admission.release(record.id, Hold::Delay));
        record.is_due();
    }

    /// Makes a change that may free slots, and launches the tasks that may run after it. `change` returns whether it
    /// changed anything.
    pub(crate) fn move_up(self: &Arc<Self>, change: impl FnOnce(&mut Admission) -> bool) {
        let (admitted, waiting) = {
            let mut admission = self.common.admission.lock();
            if !change(&mut admission) {
                return;
            }
            (admission.admit(), admission.is_waiting())
        };
        if admitted == Admitted::default() {
            self.tell_places(waiting);
            return;
        }
        let turns = Turns::of(&admitted, &self.registry.lock());
        self.launched.lock().extend(turns.begin.iter().cloned());
        self.tell_places(true);
        self.launch(turns);
    }

    /// Launches tasks that were given slots.
    pub(crate) fn launch(self: &Arc<Self>, turns: Turns) {
        turns.go_on.iter().for_each(|(record, attempt)| record.go_on(*attempt));
        for record in turns.begin {
            (self.launch)(self, record.id);
        }
    }

    /// Calls `poll`, which polls the code of task `id`, so that a thread that it holds is noticed.
    pub(crate) fn polling<T>(self: &Arc<Self>, id: TaskId, poll: impl FnOnce() -> T) -> T {
        let watch = || {
            let transitions = Arc::downgrade(self);
            let find = move |id| transitions.upgrade()?.find(id);
            let watch = held_threads::watch(Arc::downgrade(&self.monitor), self.runtimes.clone(), find);
            self.runtimes.control.spawn(watch);
        };
        self.monitor.polling(id, watch, poll)
    }

    // Lending slots.

    /// Takes a task out of its slots while the handler of this attempt waits for these tasks.
    pub(crate) fn lend_slots(self: &Arc<Self>, record: &Arc<Record>, attempt: u32, waits_for: Vec<TaskId>) {
        record.lend_slots(attempt, waits_for);
        self.let_others_run();
    }

    /// Lets a task that has lent its slots wait for them. What it awaited of the tasks `came` has come.
    pub(crate) fn take_back_slots(self: &Arc<Self>, record: &Record, came: &[TaskId]) {
        self.move_up(|admission| {
            admission.reclaim_slot(record.id);
            true
        });
        // Only now can they see whether they hold a slot that it needs.
        for read in came.iter().filter_map(|id| self.find(*id)) {
            read.reader_wants_slots();
        }
    }

    /// Tells the watchers of waiting tasks that places have moved, after [`PLACES_MOVE`]. Further calls until then do
    /// nothing.
    pub(crate) fn tell_places(self: &Arc<Self>, anybody_is_told: bool) {
        if !anybody_is_told || self.places_move.swap(true, SeqCst) {
            return;
        }
        let transitions = Arc::clone(self);
        self.runtimes.control.spawn(async move {
            sleep(PLACES_MOVE).await;
            transitions.places_move.store(false, SeqCst);
            let first = transitions.common.admission.lock().take_moved(PLACES_TOLD);
            let first = transitions.registry.lock().find_all(&first);
            let launched = mem::take(&mut *transitions.launched.lock());
            let without_thread = launched.iter().filter(|record| record.status() == TaskStatus::Queued);
            first.iter().chain(without_thread).for_each(Record::notify);
        });
    }

    // Keeping.

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.registry.lock().get(id).cloned()
    }

    /// Forgets ended tasks that exceed the retention.
    pub(crate) fn expire(&self) {
        let expired = self.expire_in(&mut self.registry.lock());
        self.have_left(&expired);
    }

    /// Removes and returns the ended tasks that exceed the retention. Call [`have_left`](Self::have_left) afterwards, when
    /// no lock is held.
    pub(crate) fn expire_in(&self, registry: &mut Registry) -> Vec<Arc<Record>> {
        let expired = registry.expire(self.timers().awake_now());
        self.timers().need_awake_now(registry.ages_until());
        expired
    }

    /// Deals with the tasks that have left, and lets those that are kept grow old.
    pub(crate) fn have_left(&self, expired: &[Arc<Record>]) {
        self.timers().count_awake();
        expired.iter().for_each(Record::mark_removed);
    }
}
