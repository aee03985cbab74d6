//! What the engine knows of one task, shared by everybody who deals with it.

mod cursor;
mod entry;
mod follower;

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{sync::Notify, time::Instant};
use tokio_util::task::{AbortOnDropHandle, task_tracker::TaskTrackerToken};
use tracing::Span;

use crate::{
    Error, FailureKind, Json, Outcome, Progress, QueuePlace, StartOptions, TaskFailure, TaskFilter, TaskId,
    TaskSnapshot, TaskStatus, Unit,
    items::stream::ItemStream,
    progress::cell::ProgressCell,
    run::batch::Sum,
    task::{
        attempt::Attempt,
        kind::{Kind, Problem, Work},
        life::{Ending, INLINE_OUTCOME_LIMIT, Life, Stop},
        owner::{Owner, Page},
    },
    watch::{
        change_set::Watcher,
        feed::{Hub, is_another, mark},
        filter::Filtered,
    },
};

pub use cursor::Cursor;
pub use entry::{Entry, EntryLook};
pub use follower::Follower;

pub struct Record {
    pub id: TaskId,
    pub(crate) kind: Arc<Kind>,
    pub(crate) input: Json,
    /// What it was started with beside its input, if that says anything.
    options: Option<Box<StartOptions>>,
    /// The batch it is a member of.
    pub(crate) parent: Option<TaskId>,
    /// Its members in the order of their inputs, if it is a batch.
    pub(crate) members: Option<Box<[TaskId]>>,
    /// Whether a page has made its id, and may come with it again.
    pub(crate) may_be_repeated: bool,
    progress: ProgressCell,
    /// What it emits, from the first item or reader on.
    items: OnceLock<Box<ItemStream>>,
    state: Mutex<State>,
    ended: Notify,
    hub: Arc<Hub>,
}

struct State {
    life: Life,
    owner: Owner,
    watchers: Vec<Weak<Watcher>>,
    /// The last progress and its revision: after the end nothing changes, whatever a leftover of the handler reports.
    last_progress: Option<Box<(Progress, u64)>>,
    /// How many follow this task by itself, and whether one of them has learned of its failure.
    followers: u32,
    failure_told: bool,
    removed: bool,
    running: Running,
    /// How many short runs in a row there have been of a task that is restarted, and since when this run goes on.
    short_runs: u32,
    runs_since: Instant,
    /// Keeps its batch from ending.
    batch: Option<TaskTrackerToken>,
}

/// What goes when the task ends.
struct Running {
    /// Behind an `Arc`, since to clone a span calls whoever listens, and this is done under the lock.
    span: Option<Arc<Span>>,
    /// What its next attempt runs, if that need not be read from the input.
    work: Option<Work>,
    attempt: Option<Arc<Attempt>>,
    /// What stops it in time.
    clocks: Vec<AbortOnDropHandle<()>>,
}

/// What became of a task that has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// There is nothing to tell: it was told before, or is past the attempt that had to stop.
    Already,
    /// It runs and was told.
    Told,
    /// It did not run, and is over.
    Ended,
}

/// What follows an attempt.
pub(crate) enum Next {
    Over,
    /// What was registered with `on_cancel` has to run first.
    CleanUp(Result<Ending, Problem>),
    RetryAfter(Duration),
}

/// How a task comes into the world.
pub(crate) struct Birth {
    pub(crate) id: TaskId,
    pub(crate) kind: Arc<Kind>,
    pub(crate) input: Json,
    pub(crate) owner: Owner,
    pub(crate) options: StartOptions,
    pub(crate) parent: Option<TaskId>,
    pub(crate) members: Option<Box<[TaskId]>>,
}

impl Birth {
    /// How long it waits before it queues.
    pub(crate) fn delay(&self) -> Option<Duration> {
        delay(&self.options, &self.kind)
    }
}

impl Record {
    /// Nobody knows of it yet. Not to be called under a lock: whoever listens to spans may ask for tasks.
    pub(crate) fn new(birth: Birth, hub: &Arc<Hub>) -> Arc<Self> {
        let Birth { id, kind, input, owner, options, parent, members } = birth;
        let now = hub.now();
        let span = tracing::debug_span!("task", kind = &*kind.name, %id, status = TaskStatus::Queued.name());
        let due = delay(&options, &kind).map(|delay| now.saturating_add(millis(delay)));
        Arc::new(Self {
            id,
            kind,
            input,
            options: Some(options).filter(|options| *options != StartOptions::default()).map(Box::new),
            may_be_repeated: matches!(owner, Owner::Page(_)) && parent.is_none(),
            parent,
            members,
            progress: ProgressCell::new(),
            items: OnceLock::new(),
            state: Mutex::new(State {
                life: Life::new(now, due),
                owner,
                watchers: Vec::new(),
                last_progress: None,
                followers: 0,
                failure_told: false,
                removed: false,
                short_runs: 0,
                runs_since: Instant::now(),
                running: Running {
                    span: Some(span).filter(|span| !span.is_disabled()).map(Arc::new),
                    ..Running::none()
                },
                batch: None,
            }),
            ended: Notify::new(),
            hub: Arc::clone(hub),
        })
    }

    pub fn name(&self) -> &str {
        &self.kind.name
    }

    pub fn owner(&self) -> Owner {
        self.state.lock().owner.clone()
    }

    pub fn status(&self) -> TaskStatus {
        self.state.lock().life.status()
    }

    pub fn is_removed(&self) -> bool {
        self.state.lock().removed
    }

    /// How long it waits before it queues.
    pub(crate) fn delay(&self) -> Option<Duration> {
        self.options
            .as_deref()
            .map_or_else(|| delay(&StartOptions::new(), &self.kind), |options| delay(options, &self.kind))
    }

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

    pub fn matches(&self, filter: &TaskFilter) -> bool {
        self.matches_in(filter, self.status())
    }

    /// Whether it matches when it stands at `status`.
    pub fn matches_in(&self, filter: &TaskFilter, status: TaskStatus) -> bool {
        filter.matches(&Filtered {
            name: self.name(),
            status,
            tags: self.options.as_ref().map_or(&[], |options| &options.tags),
            key: self.key(),
            parent: self.parent,
        })
    }

    /// If it belongs to a page that is one of these, it is the app's from now on. Answers whether it did.
    pub(crate) fn disown(self: &Arc<Self>, is_gone: impl Fn(&Page) -> bool) -> bool {
        let mut state = self.state.lock();
        let theirs = matches!(&state.owner, Owner::Page(page) if is_gone(page));
        if theirs {
            state.owner = Owner::App;
        }
        drop(state);
        if theirs {
            self.notify();
        }
        theirs
    }

    pub(crate) fn mark_removed(self: &Arc<Self>) {
        self.state.lock().removed = true;
        self.notify();
    }

    /// What it takes to keep the task after its end, in bytes of JSON.
    pub(crate) fn kept_bytes(&self) -> usize {
        let items = self.items.get().map_or(0, |items| items.bytes());
        self.input.len() + items + self.state.lock().life.outcome().map_or(0, Outcome::size)
    }

    /// Whether somebody is about to ask for its outcome: who follows it is told of its end, but not of an outcome as
    /// large as this one. Or to read on.
    pub(crate) fn is_asked_for(&self) -> bool {
        if self.items.get().is_some_and(|items| items.is_being_read()) {
            return true;
        }
        let state = self.state.lock();
        state.followers > 0 && state.life.outcome().is_some_and(|outcome| outcome.size() > INLINE_OUTCOME_LIMIT)
    }

    pub fn watchers(&self) -> usize {
        self.state.lock().watchers.len()
    }

    pub(crate) fn created_at(&self) -> u64 {
        self.state.lock().life.created_at()
    }

    // The life. Each step says what has changed to whoever watches, and counts it.

    /// The span of the task, as long as it has not ended.
    pub(crate) fn span(&self) -> Option<Arc<Span>> {
        self.state.lock().running.span.clone()
    }

    /// What its first attempt runs.
    pub(crate) fn set_work(&self, work: Work) {
        self.state.lock().running.work = Some(work);
    }

    /// Has `clock` stopped when the task ends.
    pub(crate) fn keep_clock(&self, clock: AbortOnDropHandle<()>) {
        let mut state = self.state.lock();
        if !state.life.status().is_final() {
            state.running.clocks.push(clock);
        }
    }

    /// Its batch does not end before it has ended and given up its slot.
    pub(crate) fn keep_batch(&self, batch: TaskTrackerToken) {
        self.state.lock().batch = Some(batch);
    }

    pub(crate) fn leave_batch(&self) {
        self.state.lock().batch = None;
    }

    /// It is known now, and counts.
    pub(crate) fn announce(self: &Arc<Self>) {
        self.kind.counters.note(None, TaskStatus::Queued);
        self.notify();
    }

    /// An attempt is about to run: with what, if that is known already. `None` if the task was stopped before.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<(Arc<Attempt>, Option<Work>)> {
        let begun = self.begin_unseen()?;
        self.notify();
        Some(begun)
    }

    /// The same for a task that nobody knows of yet.
    pub(crate) fn begin_unseen(&self) -> Option<(Arc<Attempt>, Option<Work>)> {
        let (span, begun) = {
            let mut state = self.state.lock();
            let before = state.life.status();
            if !state.life.begin(self.hub.now()) {
                return None;
            }
            let attempt = Arc::new(Attempt::new(state.life.attempt()));
            state.runs_since = Instant::now();
            state.running.attempt = Some(Arc::clone(&attempt));
            self.kind.counters.note(Some(before), TaskStatus::Running);
            (state.running.span.clone(), (attempt, state.running.work.take()))
        };
        show_in(span.as_ref(), TaskStatus::Running);
        if begun.0.number == 1 {
            self.progress.begin(Instant::now());
        } else {
            // They are told anyway.
            let _ = self.progress.restart(Instant::now());
        }
        Some(begun)
    }

    /// Tells the task to stop, if it is at this attempt or whatever it is at. `Err` with its final status if it has ended.
    pub(crate) fn stop(self: &Arc<Self>, why: Stop, attempt: Option<u32>) -> Result<Stopped, TaskStatus> {
        let (span, now, attempt, over) = {
            let mut state = self.state.lock();
            let before = state.life.status();
            let is_at = |attempt| before == TaskStatus::Running && state.life.attempt() == attempt;
            if attempt.is_some_and(|attempt| !is_at(attempt)) {
                return Ok(Stopped::Already);
            }
            state.life.stop(why, self.hub.now())?;
            if before == TaskStatus::Cancelling {
                return Ok(Stopped::Already);
            }
            let now = state.life.status();
            self.kind.counters.note(Some(before), now);
            let (span, attempt) = (state.running.span.clone(), state.running.attempt.clone());
            (span, now, attempt, now.is_final().then(|| self.close(&mut state)))
        };
        show_in(span.as_ref(), now);
        if let Some(attempt) = attempt {
            attempt.stop();
        }
        let Some(over) = over else {
            self.notify();
            return Ok(Stopped::Told);
        };
        self.ended.notify_waiters();
        drop_quietly(over, self);
        Ok(Stopped::Ended)
    }

    /// Its handler has no more time, and its clean-up has: if it was told to stop.
    pub(crate) fn hurry(&self) {
        let state = self.state.lock();
        if let Some(attempt) = state.running.attempt.as_ref().filter(|_| state.life.status() == TaskStatus::Cancelling)
        {
            attempt.hurry();
        }
    }

    pub(crate) fn outstay(self: &Arc<Self>) {
        if self.state.lock().life.outstay(self.hub.now()) {
            self.notify();
        }
    }

    /// The delay that it was started with is over.
    pub(crate) fn is_due(self: &Arc<Self>) {
        self.state.lock().life.is_due();
        self.notify();
    }

    /// An attempt is over, and nothing of it runs any more. If the task had to stop, its clean-up comes before its end.
    pub(crate) fn end_attempt(self: &Arc<Self>, ended: Result<Ending, Problem>, is_clean: bool) -> Next {
        let (now, untold, unwatched, over) = {
            let mut state = self.state.lock();
            let before = state.life.status();
            let completes = matches!(ended, Ok(Ending::Output(_))) && state.life.time_limit().is_none();
            if before == TaskStatus::Cancelling && !completes && !is_clean {
                return Next::CleanUp(ended);
            }
            if let Some(delay) = self.delay_after(&mut state, &ended) {
                let failure = ended.as_ref().err().map(|problem| &problem.failure);
                let now = self.hub.now();
                let next = now.saturating_add(millis(delay));
                if state.life.retry(failure, next, now) {
                    state.running.attempt = None;
                    self.kind.counters.note(Some(before), TaskStatus::Retrying);
                    self.mark(&mut state);
                    self.hub.admission.lock().step_back(self.id);
                    let span = state.running.span.clone();
                    drop(state);
                    show_in(span.as_ref(), TaskStatus::Retrying);
                    self.log_retry(delay, failure);
                    return Next::RetryAfter(delay);
                }
            }
            let ending = ended.unwrap_or_else(|problem| Ending::Failure(problem.failure));
            let untold = state.life.end(ending, self.hub.now());
            self.kind.counters.note(Some(before), state.life.status());
            let over = self.close(&mut state);
            (state.life.status(), untold, state.take_unwatched_failure(), over)
        };
        show_in(over.span.as_ref(), now);
        if let Some(TaskFailure { kind: FailureKind::Panic, message, .. }) = untold {
            tracing::error!(task = self.name(), id = %self.id, "{message} (after it was told to stop)");
        }
        self.log_unwatched(unwatched);
        self.ended.notify_waiters();
        drop_quietly(over, self);
        Next::Over
    }

    /// How long to wait for the attempt after this one, if there is one.
    fn delay_after(&self, state: &mut State, ended: &Result<Ending, Problem>) -> Option<Duration> {
        let policy = &self.kind.policy;
        if self.hub.is_closing() {
            return None;
        }
        if let Some(restart) = &policy.restart {
            state.short_runs = restart.count(state.short_runs, state.runs_since.elapsed());
            return restart.delay(state.short_runs, ended.is_err());
        }
        let may_retry = ended.as_ref().is_err_and(|problem| problem.may_retry);
        let retry = policy.retry.as_ref().filter(|_| may_retry)?;
        retry.delay_after(state.life.attempt())
    }

    fn log_retry(&self, delay: Duration, failure: Option<&TaskFailure>) {
        let (task, id) = (self.name(), self.id);
        match failure {
            // Nobody hears of a service's failures by its end.
            Some(failure) if self.kind.policy.restart.is_some() => {
                tracing::warn!(task, %id, "run again in {delay:?}: {}", failure.message);
            }
            Some(failure) => tracing::debug!(task, %id, "tried again in {delay:?}: {}", failure.message),
            None => tracing::debug!(task, %id, "run again in {delay:?}"),
        }
    }

    /// The time of the next attempt has come. `false` if the task was stopped before.
    pub(crate) fn requeue(self: &Arc<Self>) -> bool {
        let span = {
            let mut state = self.state.lock();
            if !state.life.requeue(self.hub.now()) {
                return false;
            }
            self.kind.counters.note(Some(TaskStatus::Retrying), TaskStatus::Queued);
            state.running.span.clone()
        };
        show_in(span.as_ref(), TaskStatus::Queued);
        self.notify();
        true
    }

    /// It has ended: nothing that it reports counts any more, and what it held goes, but not under the lock. Its slot goes
    /// with its status: who learns of the end finds the room that it leaves.
    fn close(self: &Arc<Self>, state: &mut State) -> Running {
        state.last_progress = Some(Box::new(self.progress.last(Instant::now())));
        if let Some(items) = self.items.get() {
            items.end();
        }
        self.mark(state);
        self.hub.admission.lock().leave(self.id);
        std::mem::replace(&mut state.running, Running::none())
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state.lock().life.outcome().cloned()
    }

    /// The same, if it is no larger than what is pushed with the end.
    pub fn inline_outcome(&self) -> Option<Outcome> {
        self.outcome().filter(|outcome| outcome.size() <= INLINE_OUTCOME_LIMIT)
    }

    /// Waits for the end. Cancel safe.
    pub async fn ended(&self) -> Outcome {
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

    /// The same without its outcome.
    pub(crate) async fn closed(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        loop {
            ended.as_mut().enable();
            if self.status().is_final() {
                return;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
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

    /// Waits until the task has ended, if it comes to that without waiting for anything; else only until that is clear. Cancel
    /// safe.
    pub async fn settled(&self) {
        let settled = self.ended.notified();
        tokio::pin!(settled);
        settled.as_mut().enable();
        let is_about_to_end = {
            let state = self.state.lock();
            match state.life.status() {
                // It has its slot, and has not begun yet.
                TaskStatus::Queued => !self.hub.admission.lock().waits(self.id),
                TaskStatus::Running => state.running.attempt.as_ref().is_some_and(|attempt| !attempt.has_waited()),
                _ => false,
            }
        };
        if is_about_to_end {
            settled.await;
        }
    }

    // Items.

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

    // Progress, as the handler reports it.

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

    /// How far it has come, for the bar of its batch.
    pub(crate) fn progress(&self) -> Progress {
        let state = self.state.lock();
        self.revision_of(&state);
        self.progress_of(&state)
    }

    /// The bar of a batch: what its members have reported together.
    pub(crate) fn set_sum(self: &Arc<Self>, sum: Sum) {
        self.tell_if(self.progress.set_sum(sum));
    }

    // Watching.

    /// From now on every change is marked in `watcher`, for as long as that lives.
    pub fn add_watcher(&self, watcher: &Arc<Watcher>) {
        let mut state = self.state.lock();
        state.watchers.retain(|other| is_another(other, watcher));
        state.watchers.push(Arc::downgrade(watcher));
    }

    pub fn remove_watcher(&self, watcher: &Arc<Watcher>) {
        self.state.lock().watchers.retain(|other| is_another(other, watcher));
    }

    /// Tells whoever watches that there is something new.
    pub(crate) fn notify(self: &Arc<Self>) {
        self.mark(&mut self.state.lock());
    }

    /// The same under the lock. Before a slot is given up: so whoever watches several tasks is told of the one that leaves
    /// before the one that takes its place.
    fn mark(self: &Arc<Self>, state: &mut State) {
        state.watchers.retain(|watcher| mark(watcher, self));
        self.hub.mark(self);
    }

    pub fn snapshot(&self) -> TaskSnapshot {
        let state = self.state.lock();
        self.revision_of(&state);
        self.snapshot_of(&state)
    }

    fn snapshot_of(&self, state: &State) -> TaskSnapshot {
        let life = &state.life;
        let options = self.options.as_deref();
        TaskSnapshot {
            id: self.id,
            task: self.name().to_owned(),
            status: life.status(),
            sequence: life.sequence(),
            owner: state.owner.label().map(str::to_owned),
            progress: self.progress_of(state),
            attempt: life.attempt(),
            cancel_reason: life.cancel_reason(),
            time_limit: life.time_limit(),
            overdue: life.overdue(),
            queue: self.queue_place(state),
            next_attempt_at: life.next_attempt_at(),
            created_at: life.created_at(),
            started_at: life.started_at(),
            ended_at: life.ended_at(),
            input: Some(&self.input)
                .filter(|input| self.kind.policy.show_input && input.len() <= INLINE_OUTCOME_LIMIT)
                .cloned(),
            error: life.error(),
            key: options.and_then(|options| options.key.clone()),
            label: options.and_then(|options| options.label.clone()),
            tags: options.map(|options| options.tags.clone()).unwrap_or_default(),
            parent: self.parent,
            members: self.members.as_ref().map(|members| u32::try_from(members.len()).unwrap_or(u32::MAX)),
        }
    }

    fn queue_place(&self, state: &State) -> Option<QueuePlace> {
        if state.life.status() != TaskStatus::Queued {
            return None;
        }
        let waiting = self.hub.admission.lock().queue_state(self.id)?;
        Some(QueuePlace { position: waiting.position, priority: waiting.priority, held: waiting.held })
    }

    fn progress_of(&self, state: &State) -> Progress {
        match &state.last_progress {
            Some(last) => last.0.clone(),
            None => self.progress.sample(Instant::now()),
        }
    }

    /// Lets the next change wake the watchers again, and says which the newest one is.
    fn revision_of(&self, state: &State) -> u64 {
        match &state.last_progress {
            Some(last) => last.1,
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

/// Not under a lock: whoever listens to spans may ask for tasks.
fn show_in(span: Option<&Arc<Span>>, status: TaskStatus) {
    if let Some(span) = span {
        span.record("status", status.name());
    }
}

/// How long a task waits before it queues: no time at all is no wait.
fn delay(options: &StartOptions, kind: &Kind) -> Option<Duration> {
    options.delay.or(kind.policy.delay).filter(|delay| !delay.is_zero())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Running {
    fn none() -> Self {
        Self { span: None, work: None, attempt: None, clocks: Vec::new() }
    }
}

/// What work holds is the app's own: a panic when it is dropped must not reach whoever does that.
pub(crate) fn drop_quietly<T>(value: T, record: &Record) {
    if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(value))) {
        let failure = TaskFailure::panic(record.name(), panic);
        tracing::error!(task = record.name(), id = %record.id, "{} (while it was dropped)", failure.message);
    }
}
