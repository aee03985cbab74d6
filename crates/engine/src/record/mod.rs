//! What the engine knows about one task, shared by all who use it.
//!
//! A [`Record`] holds the fixed properties of a task. Its items, and the progress of each attempt, have locks of their own. All else,
//! such as its life and its watchers, is in [`RecordState`], under one lock. Only [`steps`] changes the life. It
//! collects the effects of each step, and [`effects`] carries them out after the lock is released.

mod activity;
mod awaiting;
pub(crate) mod birth;
mod blocked;
pub(crate) mod cursor;
pub(crate) mod effects;

pub(crate) mod follower;
mod known_waits;
pub(crate) mod lenders;
mod reports;
mod ring;
pub(crate) mod shares;
pub(crate) mod sharing;
pub(crate) mod snapshot;
pub(crate) mod steps;
pub(crate) mod told;
mod waits;

use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{runtime::Handle, sync::Notify};
use tokio_util::task::{AbortOnDropHandle, task_tracker::TaskTrackerToken};
use tracing::Span;

use self::{known_waits::KnownWaits, lenders::Lenders, shares::Shares};
use crate::{
    changes::{
        change_set::ChangeSet,
        feed::Feed,
        filter::{Filtered, Matcher},
    },
    clock::{
        Clocks,
        awake_clock::AwakeClock,
        timers::Timers,
        wall_clock::{WallClock, millis},
    },
    items::{patience, stream::ItemStream},
    json::Json,
    lock::{FEED, Lock, QUEUE, TASK},
    progress::{cell::Last, sampler::Sampler},
    queue::admission::Admission,
    quota::charge::Charge,
    start_options::StartOptions,
    task::{
        attempt::Attempt,
        id::TaskId,
        life::{INLINE_OUTCOME_LIMIT, Life, Problem},
        outcome::Outcome,
        owner::Owner,
        quiet::Quiet,
        status::TaskStatus,
    },
};

/// A task, shared by all who use it.
pub struct Record {
    /// Its id.
    pub id: TaskId,
    pub(crate) kind: Arc<Kind>,
    /// For a batch a digest of all inputs, which tells a repeated start: the members keep the inputs.
    pub(crate) input: Json,
    /// Its start options; `None` if they are the default.
    options: Option<Box<StartOptions>>,
    /// The batch that it is a member of.
    pub(crate) parent: Option<TaskId>,
    /// Its members in the order of their inputs, if it is a batch.
    pub(crate) members: Option<Box<[TaskId]>>,
    /// The task whose handler has started it; `None` if other code has.
    started_by: Option<TaskId>,
    /// The task that it runs again, if it does. Set as soon as it is accepted.
    rerun_of: OnceLock<TaskId>,
    /// Whether its caller chose the id, and so can repeat the start.
    pub(crate) may_be_repeated: bool,
    /// What it counts for on the account of the caller who has started it. Set before anybody can find it, if at all.
    charge: OnceLock<Arc<Charge>>,
    /// The number of its arrival, from 1; 0 until it is accepted.
    order: AtomicU64,
    /// A detail was left out, and the log says so.
    warned_of_detail: AtomicBool,
    /// Its items. Created for the first item or reader.
    items: OnceLock<Box<ItemStream>>,
    state: Lock<RecordState, TASK>,
    /// Created for the first handler that waits for it.
    lenders: OnceLock<Arc<Lenders>>,
    /// Created for the first task that its code awaits, or whose code awaits it.
    known_waits: OnceLock<Arc<KnownWaits>>,
    /// Wakes those who wait for its end, or for its handler to return `Pending`.
    ended: Notify,
    common: Arc<Common>,
}

/// An attempt whose count the sampler reads.
pub(crate) type Counting = (Weak<Record>, Weak<Attempt>);

/// What all tasks of one engine share.
pub(crate) struct Common {
    pub(crate) clock: WallClock,
    pub(crate) timers: Arc<Timers>,
    /// Counts how long tasks wait for readers.
    patience: Arc<AwakeClock>,
    pub(crate) admission: Lock<Admission, QUEUE>,
    /// The watchers of all tasks.
    pub(crate) feed: Lock<Feed<Record>, FEED>,
    sampler: Arc<Sampler<Counting>>,
    /// The runtime of the engine itself.
    pub(crate) control: Handle,
    /// The runtime of the handlers.
    work: tokio::runtime::Id,
    /// Finds a task by its id.
    finds: OnceLock<Find>,
}

type Find = Box<dyn Fn(TaskId) -> Option<Arc<Record>> + Send + Sync>;

/// The part of a task that changes.
struct RecordState {
    life: Life,
    shares: Shares,
    feed: Feed<Record>,
    /// The progress of the last attempt, from its end until the next one begins.
    last_progress: Option<Box<Last>>,
    /// How many followers it has, and whether its failure was reported to one of them or logged.
    followers: u32,
    failure_told: bool,
    removed: bool,
    live: Live,
    /// Until when it waits for its first reader, by the clock that counts this; `None` before its first attempt.
    waits_for_readers_until: Option<Duration>,
    /// For a task that is restarted: how many short attempts there were in a row.
    short_runs: u32,
    batch: Option<Membership>,
    /// `None` for a task that has never lent its slots.
    lent: Option<Box<Lent>>,
}

/// What ties a task to its batch, until it has ended and given up its slot.
struct Membership {
    /// Keeps the batch from ending.
    _token: TaskTrackerToken,
    /// Those of the batch.
    lenders: Arc<Lenders>,
}

/// What a task shows while it has lent its slots.
#[derive(Default)]
struct Lent {
    /// The tasks that it waits for; empty while it has its slots.
    waits_for: Vec<TaskId>,
    /// Changes whenever they do.
    revision: u32,
}

/// What is dropped when the task ends.
struct Live {
    /// In an `Arc`, because it is cloned under the lock, and cloning a span itself calls the tracing subscriber.
    span: Option<Arc<Span>>,
    /// What its next attempt runs; `None` if it has to be made from the input.
    work: Option<Work>,
    attempt: Option<Arc<Attempt>>,
    /// Its clocks: the delay and the time limits.
    clocks: Vec<AbortOnDropHandle<()>>,
    /// Watches its grace period, once it was told to stop.
    grace: Option<Box<dyn Send + Sync>>,
}

/// A kind of task.
pub type Kind = crate::kind::Kind<Work>;

/// A handler with its input, ready to run once.
pub struct Work(Quiet<StartWork>);

type StartWork = Box<dyn FnOnce(&Arc<Record>, &Arc<Attempt>) -> HandlerFuture + Send>;
/// A running handler.
pub(crate) type HandlerFuture = BoxFuture<'static, Result<Json, Problem>>;

impl Work {
    /// `name` is the task's name, for the log.
    pub(crate) fn new(
        name: &Arc<str>,
        start: impl FnOnce(&Arc<Record>, &Arc<Attempt>) -> HandlerFuture + Send + 'static,
    ) -> Self {
        Self(Quiet::new(Box::new(start), name))
    }

    pub(crate) fn start(mut self, record: &Arc<Record>, attempt: &Arc<Attempt>) -> HandlerFuture {
        match self.0.take() {
            Some(start) => start(record, attempt),
            None => unreachable!("only `start` takes it, and it consumes the work"),
        }
    }

    /// Drops the work of task `id`, which will not run.
    fn drop_quietly(mut self, id: TaskId) {
        self.0.drop_for(id);
    }
}

impl Common {
    /// `control` is the runtime that the engine itself runs on, and `work` that of the handlers.
    pub(crate) fn new(clocks: Clocks, sampler: Arc<Sampler<Counting>>, control: Handle, work: &Handle) -> Self {
        let timers = Arc::new(Timers::new(&clocks, control.clone()));
        Self {
            clock: clocks.wall,
            timers,
            patience: patience::clock(control.clone()),
            admission: Lock::default(),
            feed: Lock::default(),
            sampler,
            control,
            work: work.id(),
            finds: OnceLock::new(),
        }
    }

    /// Whether this may be called by a handler, or by what it has spawned: not on the runtime of the engine, if that is one
    /// of its own.
    fn may_be_a_handlers(&self) -> bool {
        Handle::try_current().map_or(true, |here| here.id() == self.work || here.id() != self.control.id())
    }

    /// Sets how a task is found by its id. Only the first call counts.
    pub(crate) fn find_with(&self, find: impl Fn(TaskId) -> Option<Arc<Record>> + Send + Sync + 'static) {
        let _ = self.finds.set(Box::new(find));
    }

    fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.finds.get()?(id)
    }

    /// Returns what the wall clock shows, unless it is set until then, when the clock that counts sleep shows `elapsed`.
    /// In milliseconds since 1970.
    fn wall_at(&self, elapsed: Duration) -> u64 {
        let (at, now) = (millis(elapsed), millis(self.timers.elapsed()));
        let wall = self.clock.now();
        if at >= now { wall.saturating_add(at - now) } else { wall.saturating_sub(now - at) }
    }
}

impl Live {
    fn none() -> Self {
        Self { span: None, work: None, attempt: None, clocks: Vec::new(), grace: None }
    }
}

impl Record {
    /// Returns the name of its kind.
    pub fn name(&self) -> &str {
        &self.kind.name
    }

    /// Returns the task that it runs again, if a rerun has started it.
    pub fn rerun_of(&self) -> Option<TaskId> {
        self.rerun_of.get().copied()
    }

    /// Records that a rerun of `ended` has started it.
    pub(crate) fn runs_again(&self, ended: TaskId) {
        let _ = self.rerun_of.set(ended);
    }

    /// Returns its owner.
    pub fn owner(&self) -> Owner {
        self.state.lock().shares.owner().clone()
    }

    /// Returns its current status.
    pub fn status(&self) -> TaskStatus {
        self.state.lock().life.status()
    }

    /// Whether the engine has forgotten it.
    pub fn is_removed(&self) -> bool {
        self.state.lock().removed
    }

    /// Returns the options that it was started with.
    pub(crate) fn options(&self) -> StartOptions {
        self.options.as_deref().cloned().unwrap_or_default()
    }

    /// Returns the deadline that it was started with.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.options.as_ref().and_then(|options| options.deadline)
    }

    /// Returns the timeout that it was started with.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.options.as_ref().and_then(|options| options.timeout)
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.options.as_ref().and_then(|options| options.key.as_deref())
    }

    /// Whether it is among the tasks that a caller looks for: the caller `may_see` it, and it matches `filter` if this is its
    /// status. The caller may have made the filter, so the filter is looked at, and the status asked for, only then.
    pub fn is_selected(
        &self,
        filter: &Matcher,
        may_see: impl FnOnce() -> bool,
        status: impl FnOnce() -> TaskStatus,
    ) -> bool {
        may_see() && filter.matches(&self.filtered(status()))
    }

    fn filtered(&self, status: TaskStatus) -> Filtered<'_> {
        Filtered {
            name: self.name(),
            status,
            tags: self.options.as_ref().map_or(&[], |options| &options.tags),
            key: self.key(),
            parent: self.parent,
        }
    }

    /// Returns how much of the task is kept after its end, in bytes of JSON or of text. The tags of a member are those of
    /// its batch, and count there.
    pub(crate) fn kept_bytes(&self) -> usize {
        let items = self.items.get().map_or(0, |items| items.bytes());
        let texts = self.options.as_ref().map_or(0, |options| options.kept_bytes(self.parent.is_some()));
        // The members keep the inputs of a batch.
        let input = if self.members.is_some() { 0 } else { self.input.len() };
        input + texts + items + self.state.lock().life.outcome().map_or(0, Outcome::size)
    }

    /// Whether somebody is about to fetch its outcome or to read more of its items. A follower that is told of the end
    /// has to fetch an outcome that is too large to be sent with it.
    pub(crate) fn is_asked_for(&self) -> bool {
        if self.items.get().is_some_and(|items| items.is_being_read()) {
            return true;
        }
        let state = self.state.lock();
        state.followers > 0 && state.life.outcome().is_some_and(|outcome| outcome.size() > INLINE_OUTCOME_LIMIT)
    }

    /// Returns how many watchers it has.
    pub fn watchers(&self) -> usize {
        self.state.lock().feed.len()
    }

    /// Returns the number of its arrival: 1 for the first task that the engine has accepted. No two tasks have the same.
    pub fn order(&self) -> u64 {
        self.order.load(Ordering::Relaxed)
    }

    /// Notes that the engine has accepted it as number `order`. Nobody can find it before that.
    pub(crate) fn accept(&self, order: u64) {
        self.order.store(order, Ordering::Relaxed);
    }

    /// Makes it count on an account. Call it before anybody can find the task.
    pub(crate) fn charge_to(&self, charge: Arc<Charge>) {
        let _ = self.charge.set(charge);
    }

    /// Makes it count on no account any more.
    pub(crate) fn leave_account(&self) {
        if let Some(charge) = self.charge.get() {
            charge.close();
        }
    }

    /// Returns how long it waits before it queues; `None` if it queues at once.
    pub(crate) fn delay(&self) -> Option<Duration> {
        effective_delay(self.options.as_deref().and_then(|options| options.delay), &self.kind)
    }

    /// Returns the attempt that it is at; `None` while it waits, and after its end.
    pub(crate) fn attempt(&self) -> Option<Arc<Attempt>> {
        self.state.lock().live.attempt.clone()
    }

    fn known_waits(&self) -> &Arc<KnownWaits> {
        self.known_waits.get_or_init(Arc::default)
    }

    /// Returns the span of the task; `None` after its end.
    pub(crate) fn span(&self) -> Option<Arc<Span>> {
        self.state.lock().live.span.clone()
    }

    /// Makes every later change mark the task in `watcher`, for as long as `watcher` lives.
    pub fn add_watcher(&self, watcher: &Arc<ChangeSet<Self>>) {
        self.state.lock().feed.add(watcher);
    }

    /// Undoes [`add_watcher`](Self::add_watcher).
    pub fn remove_watcher(&self, watcher: &Arc<ChangeSet<Self>>) {
        self.state.lock().feed.remove(watcher);
    }
}

/// Returns how long a task waits before it queues. A delay of zero counts as none.
fn effective_delay(own: Option<Duration>, kind: &Kind) -> Option<Duration> {
    own.or(kind.policy.delay).filter(|delay| !delay.is_zero())
}
