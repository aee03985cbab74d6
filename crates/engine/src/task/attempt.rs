use std::{
    collections::BTreeMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{sync::Notify, task, time::Instant};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::quiet::Quiet;
use crate::{
    TaskFailure, TaskId,
    clock::{awake_time::AwakeTime, timers::Timers},
    lock::{ATTEMPT, CLOCK, Lock},
    logged::logged,
    policy::{Policy, restart::Restart},
    progress::cell::ProgressCell,
    task::lending::{Lending, Settled},
};

/// One attempt of a task: how to stop it, and which parts of it still run.
///
/// Each attempt has an `Attempt` of its own, so leftovers of an earlier one are never mistaken for parts of the next.
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) is_first: bool,
    pub(crate) progress: ProgressCell,
    /// Tells the handler to stop.
    token: CancellationToken,
    beside: Lock<Beside, ATTEMPT>,
    /// Whether the handler uses its token, and so gets a grace period.
    cooperative: AtomicBool,
    /// The handler has returned `Pending`, so it may take any time.
    has_waited: AtomicBool,
    /// The handler is over. Its leftovers can no longer emit.
    is_over: AtomicBool,
    /// The tokio task that polls the handler.
    polled_in: OnceLock<task::Id>,
    /// An emit was discarded, and the log says so.
    warned_of_discard: AtomicBool,
    /// How often the handler has been polled.
    polls: AtomicU64,
    /// How many parts of the handler's own future wait to be dropped with it.
    given_up: AtomicUsize,
    /// Why the attempt fails, whatever its handler returns.
    failure: Lock<Option<Box<TaskFailure>>, ATTEMPT>,
    failed: Notify,
    timers: Arc<Timers>,
    grace: Duration,
    /// How long it has run, counted exactly until it is healthy.
    ran: Lock<AwakeTime, CLOCK>,
    /// How long ago it was told to stop, counted exactly until its grace period is over.
    stopped_for: Lock<Option<AwakeTime>, CLOCK>,
    /// Ends the handler's grace period. The clean-up gets what is left of it.
    hurry: CancellationToken,
    /// `None` once the clean-ups have run or been discarded.
    cleanups: Lock<Option<Vec<Cleanup>>, ATTEMPT>,
    /// Created when the handler first awaits a task that it has started.
    lending: OnceLock<Box<Lock<Lending, ATTEMPT>>>,
    /// Wakes what waits for the slots that the handler has lent.
    slots_are_back: Notify,
}

/// What runs beside the handler: work on blocking threads, and the members of a batch. Most handlers have none.
#[derive(Default)]
struct Beside {
    running: Option<Running>,
    /// The handler is over. Work that begins after that is told to stop at once, and only what a clean-up begins is
    /// waited for.
    over: bool,
    /// The work that waits for a thread, by number.
    queued: BTreeMap<u64, Quiet<BlockingWork>>,
    /// The number of the next work.
    number: u64,
}

/// What a blocking thread runs.
type BlockingWork = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
struct Running {
    /// Cancelled when the task has to stop, and when its handler is over.
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Attempt {
    /// `revision` is the first revision of its progress.
    pub(crate) fn new(number: u32, is_first: bool, timers: &Arc<Timers>, policy: &Policy, revision: u64) -> Self {
        let healthy_time = policy.restart.as_ref().map_or(Duration::ZERO, Restart::healthy_time);
        Self {
            number,
            is_first,
            progress: ProgressCell::new(revision),
            token: CancellationToken::new(),
            beside: Lock::default(),
            cooperative: AtomicBool::new(false),
            has_waited: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            polled_in: OnceLock::new(),
            warned_of_discard: AtomicBool::new(false),
            polls: AtomicU64::new(0),
            given_up: AtomicUsize::new(0),
            failure: Lock::default(),
            failed: Notify::new(),
            timers: Arc::clone(timers),
            grace: policy.grace,
            ran: Lock::new(timers.awake_time(healthy_time)),
            stopped_for: Lock::default(),
            hurry: CancellationToken::new(),
            cleanups: Lock::new(Some(Vec::new())),
            lending: OnceLock::new(),
            slots_are_back: Notify::new(),
        }
    }

    // For the handler.

    /// Returns a child token: a handler that cancels it cancels only what it gave the token to, and not the task.
    pub(crate) fn handler_token(&self) -> CancellationToken {
        self.cooperative.store(true, Relaxed);
        self.token.child_token()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cooperative.store(true, Relaxed);
        self.token.is_cancelled()
    }

    pub(crate) async fn cancelled(&self) {
        self.cooperative.store(true, Relaxed);
        self.token.cancelled().await;
    }

    /// Returns what work beside the handler needs: a token that tells it to stop, and a guard to hold while it runs.
    /// The attempt is not over before the guard is dropped.
    pub(crate) fn beside(&self) -> (CancellationToken, TaskTrackerToken) {
        self.begin_beside(&mut self.beside.lock())
    }

    fn begin_beside(&self, beside: &mut Beside) -> (CancellationToken, TaskTrackerToken) {
        let over = beside.over;
        let running = beside.running.get_or_insert_with(|| {
            let token = self.token.child_token();
            if over {
                token.cancel();
            }
            Running { token, tracker: TaskTracker::new() }
        });
        (running.token.clone(), running.tracker.token())
    }

    /// Queues the work that `make` returns for a thread. It is given what [`beside`](Self::beside) returns. Work that
    /// still waits when the handler is over is discarded, unless it was queued after that. `name` is the task's name, for
    /// the log. Returns the number of the work.
    pub(crate) fn queue_work(
        &self,
        name: &Arc<str>,
        make: impl FnOnce(CancellationToken, TaskTrackerToken) -> BlockingWork,
    ) -> u64 {
        let mut beside = self.beside.lock();
        let (token, counted) = self.begin_beside(&mut beside);
        let number = beside.number;
        beside.number += 1;
        beside.queued.insert(number, Quiet::new(make(token, counted), name));
        number
    }

    /// Takes the work with this number, to run it. Returns `None` if it was taken or discarded before.
    pub(crate) fn take_work(&self, number: u64) -> Option<BlockingWork> {
        let work = self.beside.lock().queued.remove(&number);
        work.and_then(|mut work| work.take())
    }

    /// Discards the work with this number, unless a thread has begun it.
    pub(crate) fn discard_work(&self, number: u64) {
        // Dropped after the lock is released.
        let work = self.beside.lock().queued.remove(&number);
        drop(work);
    }

    pub(crate) fn on_cancel(&self, cleanup: Cleanup) {
        let mut cleanups = self.cleanups.lock();
        let too_late = match &mut *cleanups {
            Some(cleanups) => {
                cleanups.push(cleanup);
                None
            }
            None => Some(cleanup),
        };
        drop(cleanups);
        drop(too_late);
    }

    // For the engine.

    pub(crate) fn stop(&self) {
        self.stopped_for.lock().get_or_insert_with(|| self.timers.awake_time(self.grace));
        self.token.cancel();
        self.slots_are_back.notify_waiters();
    }

    /// Ends the handler's grace period. Only for an attempt that was told to stop.
    pub(crate) fn hurry(&self) {
        self.hurry.cancel();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until the attempt is told to stop. Unlike [`cancelled`](Self::cancelled), this requests no grace period.
    pub(crate) async fn stopped(&self) {
        self.token.cancelled().await;
    }

    /// Notes that the handler has returned `Pending`.
    pub(crate) fn waits(&self) {
        self.has_waited.store(true, Release);
    }

    pub(crate) fn has_waited(&self) -> bool {
        self.has_waited.load(Acquire)
    }

    /// Notes that the handler is over. Returns why the attempt fails, whatever the handler has returned.
    pub(crate) fn end(&self) -> Option<TaskFailure> {
        let mut failure = self.failure.lock();
        self.is_over.store(true, Release);
        failure.take().map(|failure| *failure)
    }

    /// Whether the handler is over.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Acquire)
    }

    /// Fails the attempt, whatever its handler returns. The first failure counts, and none after the handler is over.
    pub(crate) fn fail(&self, failure: impl FnOnce() -> TaskFailure) {
        let mut slot = self.failure.lock();
        if !self.is_over() && slot.is_none() {
            *slot = Some(Box::new(failure()));
            drop(slot);
            self.failed.notify_one();
        }
    }

    /// Waits until the attempt has [failed](Self::fail). Only for the supervisor, which then drops the handler.
    pub(crate) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// Notes that the current tokio task is about to poll the handler.
    pub(crate) fn begin_poll(&self) {
        if let Some(id) = task::try_id() {
            let _ = self.polled_in.set(id);
        }
        self.polls.fetch_add(1, Relaxed);
    }

    /// Whether the caller runs in the tokio task that polls the handler.
    pub(crate) fn is_polled_here(&self) -> bool {
        task::try_id().is_some_and(|id| self.polled_in.get() == Some(&id))
    }

    /// Notes that a part of the handler's own future waits to be dropped with it, until the guard is dropped. Returns
    /// `None` elsewhere, such as in a tokio task that the handler has spawned.
    pub(crate) fn give_up(&self) -> Option<GivenUp<'_>> {
        (self.is_polled_here() && !self.is_over()).then(|| {
            self.given_up.fetch_add(1, Relaxed);
            GivenUp { attempt: self, handler_poll: 0, polls: 0 }
        })
    }

    /// The handler's waits for tasks that it has started.
    pub(crate) fn lending(&self) -> &Lock<Lending, ATTEMPT> {
        self.lending.get_or_init(Box::default)
    }

    /// Whether the handler was told to stop and has time to. Otherwise it is dropped when it is told.
    fn has_grace(&self) -> bool {
        self.is_stopped() && self.cooperative.load(Relaxed)
    }

    /// Waits until `test` says so. It is asked again when the handler has its slots back or is told to stop, and is told
    /// whether it has its grace period now.
    pub(crate) async fn once_lending(&self, mut test: impl FnMut(&mut Lending, bool) -> bool) {
        let changed = self.slots_are_back.notified();
        tokio::pin!(changed);
        loop {
            changed.as_mut().enable();
            if test(&mut self.lending().lock(), self.has_grace()) {
                return;
            }
            changed.as_mut().await;
            changed.set(self.slots_are_back.notified());
        }
    }

    /// Whether the handler has awaited tasks that it has started.
    pub(crate) fn has_lending(&self) -> bool {
        self.lending.get().is_some()
    }

    /// Begins a look at what the handler awaits, for which it is polled once more: see [`Lending::look`].
    pub(crate) fn look(&self, nothing_happened: bool) -> Option<Vec<Waker>> {
        self.lending.get()?.lock().look(nothing_happened)
    }

    /// Decides about the slots after the handler has returned `Pending`: see [`Lending::settle`].
    pub(crate) fn settle(&self, was_woken: bool) -> Option<Settled> {
        self.lending.get()?.lock().settle(was_woken)
    }

    /// Waits until the handler may be polled.
    pub(crate) async fn may_go_on(&self) {
        self.once_lending(|lending, is_stopped| lending.may_poll(is_stopped)).await;
    }

    /// Whether the handler may be polled: not while it wants back the slots that it has lent.
    pub(crate) fn may_be_polled(&self) -> bool {
        self.lending.get().is_none_or(|lending| lending.lock().may_poll(self.has_grace()))
    }

    /// Notes that the handler has its slots back.
    pub(crate) fn slots_are_back(&self) {
        if let Some(lending) = self.lending.get() {
            let handler = lending.lock().slots_are_back();
            self.slots_are_back.notify_waiters();
            if let Some(handler) = handler {
                handler.wake();
            }
        }
    }

    /// Sets what polls the handler when it has its slots back.
    pub(crate) fn set_handler_waker(&self, waker: &Waker) {
        if let Some(lending) = self.lending.get() {
            let waker = waker.clone();
            // Dropped after the lock is released.
            let _unused = lending.lock().set_handler(waker);
        }
    }

    /// Whether there is work on blocking threads.
    pub(crate) fn has_work_beside(&self) -> bool {
        self.beside.lock().running.as_ref().is_some_and(|running| !running.tracker.is_empty())
    }

    /// Whether there is work that waits for a blocking thread.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn has_queued_work(&self) -> bool {
        !self.beside.lock().queued.is_empty()
    }

    /// How often the handler has been polled.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    /// Whether the log has yet to say that an emit was discarded. Only the first call returns true.
    pub(crate) fn warns_of_discard(&self) -> bool {
        !self.warned_of_discard.swap(true, Relaxed)
    }

    /// Whether a part of the handler's future waits to be dropped with it. Ask only between two polls of the handler.
    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up.load(Relaxed) > 0
    }

    /// Waits until the handler has to be dropped.
    pub(crate) async fn time_to_drop(&self) {
        self.token.cancelled().await;
        if self.cooperative.load(Relaxed) {
            self.hurry.cancelled().await;
        }
    }

    /// Returns how long ago it was told to stop, without the time in which the machine slept.
    pub(crate) fn stopped_for(&self, now: Instant) -> Duration {
        self.stopped_for.lock().as_mut().map_or(Duration::ZERO, |time| time.read(now))
    }

    /// Returns how long it has run, without the time in which the machine slept.
    pub(crate) fn lasted(&self, now: Instant) -> Duration {
        self.ran.lock().read(now)
    }

    /// Waits until it has lasted for `length`, and meanwhile counts that time where it has to be counted in steps.
    pub(crate) async fn lasts(&self, length: Duration) {
        self.timers.until_awake(length, |now| self.lasted(now)).await;
    }

    /// Stops what still runs beside the handler and waits for it. Called once the handler is over.
    pub(crate) async fn over(&self) {
        let (running, discarded) = {
            let mut beside = self.beside.lock();
            let is_first = !mem::replace(&mut beside.over, true);
            (beside.running.clone(), is_first.then(|| mem::take(&mut beside.queued)))
        };
        drop(discarded);
        if let Some(Running { token, tracker }) = running {
            token.cancel();
            tracker.close();
            tracker.wait().await;
        }
    }

    /// Discards what was registered with `on_cancel`: the task did not have to stop.
    pub(crate) fn forget_cleanups(&self) {
        let cleanups = self.cleanups.lock().take();
        drop(cleanups);
    }

    /// Runs what was registered with `on_cancel`, last registered first, within what is left of the grace period. If
    /// the handler has used all of it, the clean-up gets a grace period of its own. `sleep` waits for that time.
    pub(crate) async fn clean_up<S: Future<Output = ()>>(&self, sleep: impl FnOnce(Duration) -> S) {
        let cleanups = self.cleanups.lock().take().unwrap_or_default();
        let Some(of) = cleanups.first().map(|cleanup| (Arc::clone(&cleanup.name), cleanup.id)) else { return };
        let used = self.stopped_for(Instant::now());
        let left = self.grace.checked_sub(used).filter(|left| !left.is_zero()).unwrap_or(self.grace);
        let all = async {
            for cleanup in cleanups.into_iter().rev() {
                cleanup.await;
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = sleep(left) => tracing::warn!(
                task = logged(&of.0),
                id = %of.1,
                "the clean-up of a cancelled task took longer than its grace period and was dropped: see Task::grace"
            ),
        }
    }
}

/// How often a part of the handler's future may be polled within one poll of the handler before it counts as blocked
/// on. `FuturesUnordered` polls a future again that has woken itself, but only a few times.
const POLLS_IN_ONE: u32 = 1_000;

/// A part of the handler's future that waits to be dropped with it.
pub(crate) struct GivenUp<'a> {
    attempt: &'a Attempt,
    /// The poll of the handler in which it was polled last, and how often in that one.
    handler_poll: u64,
    polls: u32,
}

impl GivenUp<'_> {
    /// Notes that it is polled. Returns whether the handler blocks its thread on it, as with `Handle::block_on`. Then the
    /// handler never returns `Pending`, and so is not dropped.
    ///
    /// It wakes itself at each poll. A handler that awaits it returns `Pending` all the same, and is dropped. What
    /// blocks on it polls it again and again, in one and the same poll of the handler.
    pub(crate) fn is_blocked_on(&mut self, context: &Context<'_>) -> bool {
        if !self.attempt.is_polled_here() {
            return false;
        }
        let handler_poll = self.attempt.polls.load(Relaxed);
        if handler_poll != self.handler_poll {
            (self.handler_poll, self.polls) = (handler_poll, 0);
        }
        self.polls += 1;
        let is_blocked_on = self.polls > POLLS_IN_ONE;
        if !is_blocked_on {
            context.waker().wake_by_ref();
        }
        is_blocked_on
    }
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.attempt.given_up.fetch_sub(1, Relaxed);
    }
}

/// A future that was registered with `on_cancel`. It is the app's code: a panic while it runs or is dropped is logged
/// and goes no further.
pub(crate) struct Cleanup {
    future: Option<BoxFuture<'static, ()>>,
    name: Arc<str>,
    id: TaskId,
}

impl Cleanup {
    pub(crate) fn new(name: &Arc<str>, id: TaskId, future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), name: Arc::clone(name), id }
    }

    fn guard<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(act));
        let log = |panic| {
            let failure = TaskFailure::panic(&self.name, panic);
            tracing::error!(task = logged(&self.name), id = %self.id, "{} (in on_cancel)", logged(failure.message));
        };
        done.map_err(log).ok()
    }

    fn drop_future(&mut self) {
        if let Some(future) = self.future.take() {
            self.guard(|| drop(future));
        }
    }
}

impl Future for Cleanup {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(mut future) = self.future.take() else { return Poll::Ready(()) };
        let polled = self.guard(|| future.as_mut().poll(context));
        let pending = matches!(polled, Some(Poll::Pending));
        self.future = Some(future);
        if pending {
            return Poll::Pending;
        }
        self.drop_future();
        Poll::Ready(())
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        self.drop_future();
    }
}
