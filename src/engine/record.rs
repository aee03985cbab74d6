//! What the engine knows of one task, shared by everybody who deals with it.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    CancelReason, Error, FailureKind, Json, Outcome, Owner, Progress, TaskFailure, TaskFilter, TaskId, TaskSnapshot,
    TaskStatus, Unit,
    kind::Kind,
    life::{Ending, INLINE_OUTCOME_LIMIT, Life},
    progress::ProgressCell,
    watcher::Watcher,
};

/// What all tasks of one engine share: the wall clock, and the watchers of whole lists.
pub(crate) struct Hub {
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    watchers: RwLock<Vec<Weak<Watcher>>>,
}

impl Hub {
    pub(super) fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), watchers: RwLock::default() }
    }

    /// The wall clock, in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// From now on every change of every task is marked in `watcher`, for as long as it lives.
    pub(crate) fn add_watcher(&self, watcher: &Arc<Watcher>) {
        let mut watchers = self.watchers.write();
        watchers.retain(|other| is_another(other, watcher));
        watchers.push(Arc::downgrade(watcher));
    }

    pub(crate) fn remove_watcher(&self, watcher: &Arc<Watcher>) {
        self.watchers.write().retain(|other| is_another(other, watcher));
    }
}

/// Whether `other` is still there and not `watcher`.
fn is_another(other: &Weak<Watcher>, watcher: &Arc<Watcher>) -> bool {
    other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(watcher))
}

pub(crate) struct Record {
    pub(crate) id: TaskId,
    pub(super) kind: Arc<Kind>,
    pub(super) input: Json,
    /// Tells the handler to stop.
    pub(super) token: CancellationToken,
    /// Tells work on blocking threads to stop: when the task is told to, and when its handler is over.
    pub(super) blocking_token: CancellationToken,
    pub(super) blocking: TaskTracker,
    /// Whether the handler looks at its token, and so gets a grace period.
    cooperative: AtomicBool,
    progress: ProgressCell,
    state: Mutex<State>,
    ended: Notify,
    hub: Arc<Hub>,
}

struct State {
    life: Life,
    owner: Owner,
    watchers: Vec<Weak<Watcher>>,
    /// The last progress and its revision: after the end nothing changes, whatever a leftover of the handler reports.
    last_progress: Option<(Progress, u64)>,
    /// How many follow this task by itself, and whether one of them has learned of its failure.
    followers: usize,
    failure_told: bool,
    removed: bool,
}

impl Record {
    pub(super) fn new(id: TaskId, kind: Arc<Kind>, input: Json, owner: Owner, hub: Arc<Hub>) -> Arc<Self> {
        let token = CancellationToken::new();
        Arc::new(Self {
            id,
            kind,
            input,
            blocking_token: token.child_token(),
            token,
            blocking: TaskTracker::new(),
            cooperative: AtomicBool::new(false),
            progress: ProgressCell::new(Instant::now()),
            state: Mutex::new(State {
                life: Life::new(hub.now()),
                owner,
                watchers: Vec::new(),
                last_progress: None,
                followers: 0,
                failure_told: false,
                removed: false,
            }),
            ended: Notify::new(),
            hub,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.kind.name
    }

    pub(crate) fn owner(&self) -> Owner {
        self.state.lock().owner.clone()
    }

    pub(crate) fn status(&self) -> TaskStatus {
        self.state.lock().life.status()
    }

    pub(super) fn attempt(&self) -> u32 {
        self.state.lock().life.attempt()
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.state.lock().removed
    }

    pub(crate) fn matches(&self, filter: &TaskFilter) -> bool {
        filter.matches(self.name(), self.status())
    }

    /// If it belongs to a page of this label, it is the app's from now on.
    pub(crate) fn disown(self: &Arc<Self>, label: &str) {
        let mut state = self.state.lock();
        let theirs = state.owner.label() == Some(label);
        if theirs {
            state.owner = Owner::App;
        }
        drop(state);
        if theirs {
            self.notify();
        }
    }

    pub(super) fn mark_removed(self: &Arc<Self>) {
        self.state.lock().removed = true;
        self.notify();
    }

    /// What it takes to keep the task after its end, in bytes of JSON.
    pub(super) fn kept_bytes(&self) -> usize {
        self.input.len() + self.state.lock().life.outcome().map_or(0, Outcome::size)
    }

    #[cfg(test)]
    pub(crate) fn watchers(&self) -> usize {
        self.state.lock().watchers.len()
    }

    pub(super) fn created_at(&self) -> u64 {
        self.state.lock().life.created_at()
    }

    // The life.

    /// Tells whoever watches whole lists that there is a new task.
    pub(super) fn announce(self: &Arc<Self>) {
        self.notify();
    }

    /// The handler is about to run. `false` if the task was cancelled before.
    pub(super) fn begin(self: &Arc<Self>) -> bool {
        let begun = self.state.lock().life.begin(self.hub.now());
        if begun {
            self.progress.begin(Instant::now());
            self.notify();
        }
        begun
    }

    /// Tells the task to stop. Answers whether it has to stop only now: not if it was told before, and not
    /// if it never ran and so is over already. `Err` with its final status if it has ended.
    pub(super) fn cancel(self: &Arc<Self>, reason: CancelReason) -> Result<bool, TaskStatus> {
        let status = {
            let mut state = self.state.lock();
            let told_before = state.life.status() == TaskStatus::Cancelling;
            state.life.cancel(reason, self.hub.now())?;
            if told_before {
                return Ok(false);
            }
            state.life.status()
        };
        self.token.cancel();
        self.notify();
        if status.is_final() {
            self.ended.notify_waiters();
        }
        Ok(!status.is_final())
    }

    pub(super) fn outstay(self: &Arc<Self>) {
        if self.state.lock().life.outstay(self.hub.now()) {
            self.notify();
        }
    }

    pub(super) fn end(self: &Arc<Self>, ending: Ending) {
        let (untold, unwatched) = {
            let mut state = self.state.lock();
            state.last_progress = Some(self.progress.last(Instant::now()));
            (state.life.end(ending, self.hub.now()), state.take_unwatched_failure())
        };
        if let Some(TaskFailure { kind: FailureKind::Panic, message, .. }) = untold {
            tracing::error!(task = self.name(), id = %self.id, "{message} (after it was cancelled)");
        }
        self.log_unwatched(unwatched);
        self.notify();
        self.ended.notify_waiters();
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.state.lock().life.outcome().cloned()
    }

    /// Waits for the end. Cancel safe.
    pub(crate) async fn ended(&self) -> Outcome {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        loop {
            // Queue up before looking, or an end between the two would be missed.
            ended.as_mut().enable();
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
    }

    pub(super) fn is_cooperative(&self) -> bool {
        self.cooperative.load(Relaxed)
    }

    pub(super) fn set_cooperative(&self) {
        self.cooperative.store(true, Relaxed);
    }

    // Progress, as the handler reports it.

    pub(super) fn inc(self: &Arc<Self>, by: u64) {
        self.tell_if(self.progress.inc(by));
    }

    pub(super) fn set(self: &Arc<Self>, completed: u64) {
        self.tell_if(self.progress.set(completed));
    }

    pub(super) fn set_total(self: &Arc<Self>, total: Option<u64>) {
        self.tell_if(self.progress.set_total(total));
    }

    pub(super) fn set_unit(self: &Arc<Self>, unit: Unit) {
        self.tell_if(self.progress.set_unit(unit));
    }

    pub(super) fn set_message(self: &Arc<Self>, message: &str) -> Result<(), Error> {
        self.tell_if(self.progress.set_message(message)?);
        Ok(())
    }

    pub(super) fn set_detail(self: &Arc<Self>, detail: &impl Serialize) -> Result<(), Error> {
        self.tell_if(self.progress.set_detail(detail)?);
        Ok(())
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

    // Watching.

    /// From now on every change is marked in `watcher`, for as long as that lives.
    pub(crate) fn add_watcher(&self, watcher: &Arc<Watcher>) {
        let mut state = self.state.lock();
        state.watchers.retain(|other| is_another(other, watcher));
        state.watchers.push(Arc::downgrade(watcher));
    }

    pub(crate) fn remove_watcher(&self, watcher: &Arc<Watcher>) {
        self.state.lock().watchers.retain(|other| is_another(other, watcher));
    }

    fn notify(self: &Arc<Self>) {
        let mark = |watcher: &Weak<Watcher>| watcher.upgrade().map(|watcher| watcher.mark(self)).is_some();
        self.state.lock().watchers.retain(mark);
        for watcher in &*self.hub.watchers.read() {
            mark(watcher);
        }
    }

    pub(crate) fn snapshot(&self) -> TaskSnapshot {
        let state = self.state.lock();
        self.revision_of(&state);
        self.snapshot_of(&state)
    }

    fn snapshot_of(&self, state: &State) -> TaskSnapshot {
        let life = &state.life;
        TaskSnapshot {
            id: self.id,
            task: self.name().to_owned(),
            status: life.status(),
            sequence: life.sequence(),
            owner: state.owner.label().map(str::to_owned),
            progress: self.progress_of(state),
            attempt: life.attempt(),
            cancel_reason: life.cancel_reason(),
            overdue: life.overdue(),
            created_at: life.created_at(),
            started_at: life.started_at(),
            ended_at: life.ended_at(),
            input: Some(&self.input)
                .filter(|input| self.kind.policy.show_input && input.len() <= INLINE_OUTCOME_LIMIT)
                .cloned(),
            error: life.error(),
        }
    }

    fn progress_of(&self, state: &State) -> Progress {
        match &state.last_progress {
            Some((progress, _)) => progress.clone(),
            None => self.progress.sample(Instant::now()),
        }
    }

    /// Lets the next change wake the watchers again, and says which the newest one is.
    fn revision_of(&self, state: &State) -> u64 {
        match &state.last_progress {
            Some((_, revision)) => *revision,
            None => self.progress.revision(),
        }
    }

    // Failures that nobody learns of. They are logged outside of the lock: whoever listens to the log may ask for tasks.

    fn log_unwatched(&self, message: Option<String>) {
        if let Some(message) = message {
            tracing::error!(task = self.name(), id = %self.id, "a task failed and nobody was watching: {message}");
        }
    }
}

impl State {
    /// The message of a failure that has to be logged, once, because nobody else will tell it.
    fn take_unwatched_failure(&mut self) -> Option<String> {
        if self.followers > 0 || self.failure_told {
            return None;
        }
        let message = match self.life.outcome() {
            Some(Outcome::Failed(failure)) => failure.message.clone(),
            _ => return None,
        };
        self.failure_told = true;
        Some(message)
    }
}

/// Where somebody who follows one task stands: what it has been told already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    sequence: u64,
    revision: u64,
    ended: bool,
}

impl Cursor {
    /// The state of `record` now, and the place right behind it.
    pub(crate) fn new(record: &Record) -> (TaskSnapshot, Self) {
        let state = record.state.lock();
        let revision = record.revision_of(&state);
        let snapshot = record.snapshot_of(&state);
        let cursor = Self { sequence: snapshot.sequence, revision, ended: snapshot.status.is_final() };
        (snapshot, cursor)
    }

    /// Whether the task's end has been told.
    pub(crate) fn has_ended(self) -> bool {
        self.ended
    }

    /// Has the progress told again, changed or not: its rate falls while nothing happens.
    pub(crate) fn refresh(&mut self) {
        self.revision = u64::MAX;
    }

    /// The next thing to tell: status changes one by one and in order, with the newest progress before the end.
    pub(crate) fn next(&mut self, record: &Record) -> Option<super::TaskEvent> {
        use super::TaskChange::{Gap, Progress, Status};
        if self.ended {
            return None;
        }
        let state = record.state.lock();
        let revision = record.revision_of(&state);
        let progress_due = revision != self.revision;
        let change = match state.life.change_after(self.sequence) {
            Some((number, _)) if number > self.sequence + 1 => {
                let missed = number - self.sequence - 1;
                self.sequence = number - 1;
                Gap { missed }
            }
            Some((number, change)) if !(change.status.is_final() && progress_due) => {
                self.sequence = number;
                self.ended = change.status.is_final();
                Status(change.clone())
            }
            due => {
                if due.is_none() && !progress_due {
                    return None;
                }
                self.revision = revision;
                Progress(record.progress_of(&state))
            }
        };
        Some(super::TaskEvent { id: record.id, sequence: self.sequence, change })
    }
}

/// Somebody follows a task by itself and will tell of its failure. While there is one, the engine needn't.
pub(crate) struct Follower(Arc<Record>);

impl Follower {
    pub(crate) fn new(record: &Arc<Record>) -> Self {
        record.state.lock().followers += 1;
        Self(Arc::clone(record))
    }

    pub(crate) fn record(&self) -> &Arc<Record> {
        &self.0
    }

    /// The follower knows how the task ended.
    pub(crate) fn knows_the_end(&self) {
        self.0.state.lock().failure_told = true;
    }
}

impl Clone for Follower {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let unwatched = {
            let mut state = self.0.state.lock();
            state.followers -= 1;
            state.take_unwatched_failure()
        };
        self.0.log_unwatched(unwatched);
    }
}
