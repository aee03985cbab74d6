//! Takes tasks in, lets them run when there is room, and lets them go when they are over.
//!
//! What may run is decided in [`admission`](super::admission), which task comes first with its key in
//! [`keys`](super::keys). Here that is acted upon. A task gives up its slot in the moment in which its record says that it
//! does not run any more: so there are never more running tasks to be seen than the limits say, and who learns of an end
//! finds the room that it leaves.
//!
//! Locks are taken in this order: registry, then a task's state, then admission. Nothing that belongs to the app runs
//! under one of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    CancelReason, Error, OnConflict, Retention, TaskId, TaskStatus, TimeLimit, Unread,
    keep::registry::Registry,
    queue::admission::{Admission, Entrant, Hold, Holds, LaneKey, QueueFull, Scope},
    record::{Birth, Follower, Record, Stopped, drop_quietly},
    run::{
        batch,
        clocks::{release_after, stop_after, watch_attempt, watch_grace, watch_readers},
        supervisor::{live, supervise},
    },
    task::{attempt::Attempt, kind::Work, life::Stop},
    watch::feed::Hub,
};

/// How long whoever watches waiting tasks may see old places in the queue.
const PLACES_MOVE: Duration = Duration::from_millis(100);
/// How many tasks of each queue are told that their places have moved; those behind learn theirs when they get there.
const PLACES_TOLD: usize = 100;

pub struct Scheduler {
    pub(crate) runtime: Handle,
    pub(crate) hub: Arc<Hub>,
    pub(crate) registry: Mutex<Registry>,
    places_move: AtomicBool,
}

/// A task that wants to be taken in.
pub(crate) struct Arrival<'a> {
    pub(crate) birth: Birth,
    /// What it runs, checked already.
    pub(crate) work: Work,
    /// Whether the caller may join or replace this task.
    pub(crate) sees: &'a dyn Fn(&Record) -> bool,
}

impl Scheduler {
    pub(crate) fn new(runtime: Handle, hub: Hub, retention: Retention) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            hub: Arc::new(hub),
            registry: Mutex::new(Registry::new(retention)),
            places_move: AtomicBool::new(false),
        })
    }

    /// Takes a task in, or finds the one that an earlier call with this id has started, or that has its key.
    ///
    /// Until the follower is dropped, a failure of the task is not logged: so whoever wants to watch it misses nothing.
    pub(crate) fn start(self: &Arc<Self>, arrival: Arrival<'_>) -> Result<Follower, Error> {
        let Arrival { birth, work, sees } = arrival;
        let on_conflict = birth.options.on_conflict;
        let mut entrant = Entrant::new(&birth);
        let record = Record::new(birth, &self.hub);
        let follower = Follower::new(&record);
        let (mut joined, mut replaced) = (None, Vec::new());
        let (admitted, others_wait, expired, unused) = {
            let mut registry = self.registry.lock();
            // Looked at again, since a twin of this call may have come in between.
            if let Some(known) = registry.repeated(record.id, record.name(), &record.owner(), &record.input)? {
                return Ok(Follower::new(&known));
            }
            // What is spawned can't be refused: it is cancelled as soon as it is there.
            if record.kind.is_registered() {
                registry.gate.check(record.name(), record.kind.policy.restart.is_some())?;
            }
            if let Some(key) = record.key() {
                let rivals = || registry.with_key(record.name(), key);
                if let Some(first) = rivals().next() {
                    entrant.holds = entrant.holds.with(Hold::Key);
                    let taken =
                        |rival: &Record| Error::key_taken(record.name(), key, Some(rival.id).filter(|_| sees(rival)));
                    match on_conflict {
                        OnConflict::Append => {}
                        OnConflict::Refuse => return Err(taken(first)),
                        OnConflict::Replace => match rivals().find(|rival| !sees(rival)) {
                            Some(hidden) => return Err(taken(hidden)),
                            None => replaced = rivals().cloned().collect(),
                        },
                        // Nobody wants to join what is about to stop: if there is nothing else, the new one waits for that.
                        OnConflict::Join => match rivals().find(|rival| rival.status() != TaskStatus::Cancelling) {
                            Some(lasting) if sees(lasting) => joined = Some(Arc::clone(lasting)),
                            Some(hidden) => return Err(taken(hidden)),
                            None => {}
                        },
                    }
                }
            }
            if let Some(joined) = joined {
                registry.join(&record, &joined, Instant::now());
                let expired = registry.expire(Instant::now());
                drop(registry);
                expired.iter().for_each(Record::mark_removed);
                drop_quietly(work, &record);
                return Ok(Follower::new(&joined));
            }
            let (admitted, others_wait) = self.enter(|admission| {
                // Those that are replaced make room in the queue.
                let leaving = replaced.iter().filter(|rival| admission.queue_state(rival.id).is_some()).count();
                admission.enter(vec![entrant], leaving)
            })?;
            registry.insert(&record);
            // What waits reads its input again when its time comes: it holds nothing but that.
            let unused = if admitted.contains(&record.id) || !record.kind.is_registered() {
                record.set_work(work);
                None
            } else {
                Some(work)
            };
            (registry.find_all(&admitted), others_wait, registry.expire(Instant::now()), unused)
        };
        self.tell_places(others_wait);
        drop_quietly(unused, &record);
        expired.iter().for_each(Record::mark_removed);
        self.announce(&record);
        // One may have ended in this moment, and then there is nothing to replace.
        self.stop_all(replaced, CancelReason::Replaced);
        self.launch(admitted);
        if !record.kind.is_registered() && self.registry.lock().gate.is_closed() {
            let _ = self.stop(&record, Stop::Cancel(CancelReason::Shutdown));
        }
        Ok(follower)
    }

    /// Takes a batch and its members in: all or none.
    pub(crate) fn start_batch(
        self: &Arc<Self>,
        batch: Birth,
        members: Vec<Birth>,
        concurrency: Option<usize>,
    ) -> Result<Follower, Error> {
        let mut entrants: Vec<_> = members.iter().map(Entrant::new).collect();
        // A batch without a limit of its own needs no queue of its own.
        let own = concurrency.map(|_| batch.id);
        for entrant in &mut entrants {
            entrant.lane.batch = own;
        }
        let batch = Record::new(batch, &self.hub);
        let follower = Follower::new(&batch);
        let members: Vec<_> = members.into_iter().map(|birth| Record::new(birth, &self.hub)).collect();
        batch.set_work(batch::work(members.iter().map(Follower::new).collect()));
        // It begins before its members can, and takes no slot; it is over after the last of them.
        let begun = batch.begin_unseen();
        for member in &members {
            if let Some((attempt, _)) = &begun {
                member.keep_batch(attempt.beside().1);
            }
        }
        let (admitted, others_wait) = {
            let mut registry = self.registry.lock();
            if let Some(known) = registry.repeated(batch.id, batch.name(), &batch.owner(), &batch.input)? {
                return Ok(Follower::new(&known));
            }
            registry.gate.check(batch.name(), false)?;
            let (admitted, others_wait) = self.enter(|admission| {
                if concurrency.is_some() {
                    admission.set_limit(Scope::Batch(batch.id), concurrency);
                }
                admission.enter(entrants, 0)
            })?;
            registry.insert(&batch);
            for member in &members {
                registry.insert(member);
            }
            (registry.find_all(&admitted), others_wait)
        };
        self.tell_places(others_wait);
        self.announce(&batch);
        for member in &members {
            self.announce(member);
        }
        if let Some((attempt, work)) = begun {
            self.runtime.spawn(live(Arc::clone(self), batch, attempt, work));
        }
        self.launch(admitted);
        self.expire();
        Ok(follower)
    }

    /// Lets tasks into the queues; answers which may run at once, and whether others wait whose places may have moved.
    fn enter(&self, enter: impl FnOnce(&mut Admission) -> Result<(), QueueFull>) -> Result<(Vec<TaskId>, bool), Error> {
        let mut admission = self.hub.admission.lock();
        enter(&mut admission).map_err(|full| Error::queue_full(&full))?;
        Ok((admission.admit(), admission.is_waiting()))
    }

    /// A task is known from now on, and what stops it in time begins.
    fn announce(self: &Arc<Self>, record: &Arc<Record>) {
        record.announce();
        if let Some(delay) = record.delay() {
            self.keep_clock(record, release_after(Arc::clone(self), Arc::clone(record), delay));
        }
        let deadline = shorter(record.kind.policy.deadline, record.deadline());
        self.limit_life(record, TimeLimit::Deadline, deadline);
    }

    fn limit_life(self: &Arc<Self>, record: &Arc<Record>, limit: TimeLimit, length: Option<Duration>) {
        if let Some(length) = length {
            self.keep_clock(record, stop_after(Arc::clone(self), Arc::clone(record), limit, length));
        }
    }

    fn keep_clock(&self, record: &Record, clock: impl Future<Output = ()> + Send + 'static) {
        record.keep_clock(AbortOnDropHandle::new(self.runtime.spawn(clock)));
    }

    /// An attempt begins: starts what stops it in time, if anything does. The answer is to be dropped when it is over.
    pub(crate) fn start_clocks(
        self: &Arc<Self>,
        record: &Arc<Record>,
        attempt: &Attempt,
    ) -> Option<Vec<AbortOnDropHandle<()>>> {
        let policy = &record.kind.policy;
        let timeout = shorter(policy.timeout, record.timeout()).filter(|_| attempt.number == 1);
        self.limit_life(record, TimeLimit::Timeout, timeout);
        let watch = (policy.attempt_timeout.is_some() || policy.stall_timeout.is_some()).then(|| {
            let watch = watch_attempt(Arc::clone(self), Arc::clone(record), attempt.number);
            AbortOnDropHandle::new(self.runtime.spawn(watch))
        });
        let readers = (policy.unread == Unread::Cancel).then(|| {
            let readers = watch_readers(Arc::clone(self), Arc::clone(record), attempt.number);
            AbortOnDropHandle::new(self.runtime.spawn(readers))
        });
        let is_needed = timeout.is_some() || watch.is_some() || readers.is_some();
        is_needed.then(|| watch.into_iter().chain(readers).collect())
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

    /// Cancels tasks; answers how many had not ended.
    pub(crate) fn stop_all(self: &Arc<Self>, mut records: Vec<Arc<Record>>, why: CancelReason) -> usize {
        // What waits first, and of that the last first: or it would get the room that the others leave.
        records.reverse();
        records.sort_by_cached_key(|record| self.hub.admission.lock().is_running(record.id));
        records.iter().filter(|record| self.stop(record, Stop::Cancel(why)).is_ok()).count()
    }

    /// Refuses new tasks from now on; answers those that have not ended.
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

    pub(crate) fn hold(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), Error> {
        let (waits, anybody_waits) = {
            let registry = self.registry.lock();
            // What waits for the end of the app's work would wait for ever; who closes the gate knows of every hold before.
            if registry.gate.is_closed() {
                return Err(Error::not_held_at_exit(record.name()));
            }
            let mut admission = self.hub.admission.lock();
            let waits = admission.waits(record.id);
            // It makes no room for anything.
            admission.hold(record.id, Hold::User);
            (waits, admission.is_waiting())
        };
        self.tell_places(anybody_waits);
        waited(waits, record)
    }

    /// It is held, or waits for the delay that it was started with.
    pub(crate) fn is_put_off(&self, record: &Record) -> bool {
        self.hub.admission.lock().is_put_off(record.id)
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

    /// Makes a change that may have made room, and lets run what has room now.
    fn move_up(self: &Arc<Self>, change: impl FnOnce(&mut Admission) -> bool) {
        let (admitted, waiting) = {
            let mut admission = self.hub.admission.lock();
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

    fn launch(self: &Arc<Self>, admitted: Vec<Arc<Record>>) {
        for record in admitted {
            self.runtime.spawn(supervise(Arc::clone(self), record));
        }
    }

    /// Has whoever watches waiting tasks look at their places again, soon and not more often than that.
    fn tell_places(self: &Arc<Self>, anybody_waits: bool) {
        if !anybody_waits || self.places_move.swap(true, SeqCst) {
            return;
        }
        let scheduler = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::time::sleep(PLACES_MOVE).await;
            scheduler.places_move.store(false, SeqCst);
            let first = scheduler.hub.admission.lock().first_waiting(PLACES_TOLD);
            let first = scheduler.registry.lock().find_all(&first);
            first.iter().for_each(Record::notify);
        });
    }

    // Keeping.

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.registry.lock().get(id).cloned()
    }

    /// Lets the ended tasks go that are too many, too old or too large.
    pub(crate) fn expire(&self) {
        let expired = self.registry.lock().expire(Instant::now());
        expired.iter().for_each(Record::mark_removed);
    }
}

impl Entrant {
    fn new(birth: &Birth) -> Self {
        let mut holds = Holds::default();
        if birth.options.held {
            holds = holds.with(Hold::User);
        }
        if birth.delay().is_some() {
            holds = holds.with(Hold::Delay);
        }
        let kind = birth.kind.is_registered().then(|| Arc::clone(&birth.kind.name));
        let lane = LaneKey { kind, batch: None };
        Self { id: birth.id, lane, priority: birth.options.priority, holds }
    }
}

/// The answer to a change of a task that may not wait any more.
fn waited(waits: bool, record: &Arc<Record>) -> Result<(), Error> {
    if !waits {
        return Err(Error::not_queued(record.name(), record.status()));
    }
    record.notify();
    Ok(())
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}
