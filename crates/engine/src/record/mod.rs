//! What the engine knows of one task, shared by everybody who deals with it.
//!
//! [`Record`] has what doesn't change about a task, its progress and its items, which have locks of their own, and [`State`] under
//! a lock: its life and who watches it. [`steps`] of the life change the state and say what is to be done about that, and
//! [`effects`] does it when the lock is free. The rest only looks.

pub(crate) mod birth;
pub(crate) mod cursor;
pub(crate) mod effects;

pub(crate) mod follower;
mod look;
mod reports;
pub(crate) mod steps;
pub(crate) mod told;
mod waits;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{sync::Notify, time::Instant};
use tokio_util::task::{AbortOnDropHandle, task_tracker::TaskTrackerToken};
use tracing::Span;

use crate::{
    clock::WallClock,
    items::stream::ItemStream,
    json::Json,
    lock::{FEED, Lock, QUEUE, TASK},
    options::StartOptions,
    progress::{Progress, cell::ProgressCell},
    queue::admission::Admission,
    task::{
        attempt::Attempt,
        id::TaskId,
        kind,
        life::{INLINE_OUTCOME_LIMIT, Life, Problem},
        outcome::Outcome,
        owner::Owner,
        quiet::Quiet,
        status::TaskStatus,
    },
    watch::{
        change_set::ChangeSet,
        feed::Feed,
        filter::{Filtered, TaskFilter},
    },
};

/// A task, as everybody who deals with it shares it.
pub struct Record {
    /// Its id.
    pub id: TaskId,
    pub(crate) kind: Arc<Kind>,
    pub(crate) input: Json,
    /// What it was started with beside its input, if that says anything.
    options: Option<Box<StartOptions>>,
    /// The batch it is a member of.
    pub(crate) parent: Option<TaskId>,
    /// Its members in the order of their inputs, if it is a batch.
    pub(crate) members: Option<Box<[TaskId]>>,
    /// Whether its id was made by somebody who may come with it again.
    pub(crate) may_be_repeated: bool,
    progress: ProgressCell,
    /// What it emits, from the first item or reader on.
    items: OnceLock<Box<ItemStream>>,
    state: Lock<State, TASK>,
    /// Wakes those who wait for its end, or for its handler to wait.
    ended: Notify,
    common: Arc<Common>,
}

/// What all tasks of one engine share.
pub(crate) struct Common {
    pub(crate) clock: WallClock,
    pub(crate) admission: Lock<Admission, QUEUE>,
    /// Who watches all tasks.
    pub(crate) feed: Lock<Feed<Record>, FEED>,
}

/// What of a task changes.
struct State {
    life: Life,
    owner: Owner,
    feed: Feed<Record>,
    /// The last progress and its revision: after the end nothing changes, whatever is left of the handler reports.
    last_progress: Option<Box<(Progress, u64)>>,
    /// How many follow this task by itself, and whether one of them has learned of its failure.
    followers: u32,
    failure_told: bool,
    removed: bool,
    live: Live,
    /// How many short runs in a row there have been of a task that is restarted, and when this run began.
    short_runs: u32,
    runs_since: Instant,
    /// Keeps its batch from ending.
    batch: Option<TaskTrackerToken>,
}

/// What goes when the task ends.
struct Live {
    /// Behind an `Arc`, since to clone a span calls whoever listens, and this is done under the lock.
    span: Option<Arc<Span>>,
    /// What its next attempt runs, if that need not be read from the input.
    work: Option<Work>,
    attempt: Option<Arc<Attempt>>,
    /// What stops it in time.
    clocks: Vec<AbortOnDropHandle<()>>,
}

/// A kind of tasks.
pub type Kind = kind::Kind<Work>;

/// A handler with its input, ready to run once.
pub struct Work(Quiet<Start>);

type Start = Box<dyn FnOnce(&Arc<Record>, &Arc<Attempt>) -> Run + Send>;
/// A handler that runs.
pub(crate) type Run = BoxFuture<'static, Result<Json, Problem>>;

impl Work {
    /// `name` is that of the task.
    pub(crate) fn new(
        name: &Arc<str>,
        start: impl FnOnce(&Arc<Record>, &Arc<Attempt>) -> Run + Send + 'static,
    ) -> Self {
        Self(Quiet::new(Box::new(start), name))
    }

    pub(crate) fn start(mut self, record: &Arc<Record>, attempt: &Arc<Attempt>) -> Run {
        match self.0.take() {
            Some(start) => start(record, attempt),
            None => unreachable!("only this takes it, and it takes itself along"),
        }
    }
}

impl Common {
    pub(crate) fn new(clock: WallClock) -> Self {
        Self { clock, admission: Lock::default(), feed: Lock::default() }
    }
}

impl Live {
    fn none() -> Self {
        Self { span: None, work: None, attempt: None, clocks: Vec::new() }
    }
}

impl Record {
    /// The name that it was started under.
    pub fn name(&self) -> &str {
        &self.kind.name
    }

    /// Whose it is.
    pub fn owner(&self) -> Owner {
        self.state.lock().owner.clone()
    }

    /// Where it stands now.
    pub fn status(&self) -> TaskStatus {
        self.state.lock().life.status()
    }

    /// Whether the engine has let go of it.
    pub fn is_removed(&self) -> bool {
        self.state.lock().removed
    }

    /// What it was started with beside its input.
    pub(crate) fn options(&self) -> StartOptions {
        self.options.as_deref().cloned().unwrap_or_default()
    }

    /// The deadline that its start has given it.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.options.as_ref().and_then(|options| options.deadline)
    }

    /// The timeout that its start has given it.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.options.as_ref().and_then(|options| options.timeout)
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.options.as_ref().and_then(|options| options.key.as_deref())
    }

    /// Whether it matches as it stands now.
    pub fn matches(&self, filter: &TaskFilter) -> bool {
        self.matches_in(filter, self.status())
    }

    /// Whether it would match at this status.
    pub fn matches_in(&self, filter: &TaskFilter, status: TaskStatus) -> bool {
        filter.matches(&Filtered {
            name: self.name(),
            status,
            tags: self.options.as_ref().map_or(&[], |options| &options.tags),
            key: self.key(),
            parent: self.parent,
        })
    }

    /// What it takes to keep the task after its end, in bytes of JSON.
    pub(crate) fn kept_bytes(&self) -> usize {
        let items = self.items.get().map_or(0, |items| items.bytes());
        self.input.len() + items + self.state.lock().life.outcome().map_or(0, Outcome::size)
    }

    /// Whether somebody is about to ask for its outcome, or to go on reading: followers are told of its end, but not of an
    /// outcome as large as this one.
    pub(crate) fn is_asked_for(&self) -> bool {
        if self.items.get().is_some_and(|items| items.is_being_read()) {
            return true;
        }
        let state = self.state.lock();
        state.followers > 0 && state.life.outcome().is_some_and(|outcome| outcome.size() > INLINE_OUTCOME_LIMIT)
    }

    /// How many watch it.
    pub fn watchers(&self) -> usize {
        self.state.lock().feed.len()
    }

    pub(crate) fn created_at(&self) -> u64 {
        self.state.lock().life.created_at()
    }

    /// How long it waits before it queues.
    pub(crate) fn delay(&self) -> Option<Duration> {
        effective_delay(self.options.as_deref().and_then(|options| options.delay), &self.kind)
    }

    /// The span of the task, as long as it has not ended.
    pub(crate) fn span(&self) -> Option<Arc<Span>> {
        self.state.lock().live.span.clone()
    }

    /// From now on every change is marked in `watcher`, for as long as that lives.
    pub fn add_watcher(&self, watcher: &Arc<ChangeSet<Self>>) {
        self.state.lock().feed.add(watcher);
    }

    /// Ends what [`add_watcher`](Self::add_watcher) began.
    pub fn remove_watcher(&self, watcher: &Arc<ChangeSet<Self>>) {
        self.state.lock().feed.remove(watcher);
    }
}

/// How long a task waits before it queues: no time at all is no wait.
fn effective_delay(own: Option<Duration>, kind: &Kind) -> Option<Duration> {
    own.or(kind.policy.delay).filter(|delay| !delay.is_zero())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
