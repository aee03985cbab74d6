//! Notices tasks that hold a thread: their code neither returns nor reaches an `.await` that waits.
//!
//! Each thread notes which task it polls, in a few stores and without a lock. A monitor on the control runtime looks at
//! the threads once a second, warns of a task that has held one for [`HELD`], and sleeps while no task is polled.

use std::{
    sync::{
        Arc, Weak,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
    },
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::runtimes::Runtimes;
use crate::{
    lock::{Lock, THREADS},
    logged::logged,
    record::Record,
    task::id::TaskId,
};

/// How long a task may hold a thread before the log names it. This is counted in looks, so a time in which the process
/// did not run doesn't count.
const HELD: Duration = Duration::from_secs(5);
/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long the log doesn't name a kind again.
const QUIET: Duration = Duration::from_secs(60);

/// All threads that have polled a task and have not ended.
static ALL: Lock<Vec<Weak<Thread>>, THREADS> = Lock::new(Vec::new());

thread_local! {
    static THIS: Arc<Thread> = Thread::register();
}

/// A thread, and which task it polls.
#[derive(Default)]
struct Thread {
    /// The halves of the task's id; 0 while it polls none.
    id: (AtomicU64, AtomicU64),
    /// Changes whenever a poll begins or ends.
    polls: AtomicU64,
}

type Halves = (u64, u64);
const NONE: Halves = (0, 0);

impl Thread {
    fn register() -> Arc<Self> {
        let thread = Arc::new(Self::default());
        let mut all = ALL.lock();
        all.retain(|thread| thread.strong_count() > 0);
        all.push(Arc::downgrade(&thread));
        drop(all);
        thread
    }

    /// Notes what the thread polls from now on. Returns what it polled before: one poll may be inside of another.
    fn polls(&self, id: Halves) -> Halves {
        let before = self.polled();
        self.id.0.store(id.0, Relaxed);
        self.id.1.store(id.1, Relaxed);
        // Only this thread writes, so this need not be one operation.
        self.polls.store(self.polls.load(Relaxed).wrapping_add(1), Release);
        before
    }

    fn polled(&self) -> Halves {
        (self.id.0.load(Relaxed), self.id.1.load(Relaxed))
    }
}

/// Returns whether a thread polls the code of task `id` right now.
pub(crate) fn is_polled(id: TaskId) -> bool {
    threads().iter().any(|thread| thread.polled() == id.halves())
}

fn threads() -> Vec<Arc<Thread>> {
    ALL.lock().iter().filter_map(Weak::upgrade).collect()
}

/// Looks for held threads while any task of an engine is polled.
#[derive(Default)]
pub(crate) struct Monitor {
    state: AtomicU8,
    /// The kinds that the log has named, and when.
    named: Lock<Vec<(Arc<str>, Instant)>, THREADS>,
}

/// It does not run.
const ASLEEP: u8 = 0;
/// It runs.
const AWAKE: u8 = 1;
/// It has seen nothing at its last look, and sleeps if it sees nothing at the next one either. So a poll that began just
/// before, and saw it awake, is not missed.
const DOZING: u8 = 2;

impl Monitor {
    /// Calls `poll`, which polls the code of task `id`, so that the monitor sees it. If the monitor doesn't run, `start` has
    /// to start it with [`watch`].
    pub(crate) fn polling<T>(&self, id: TaskId, start: impl FnOnce(), poll: impl FnOnce() -> T) -> T {
        // A thread that is about to end has no place to note it any more.
        let before = THIS.try_with(|thread| thread.polls(id.halves())).ok();
        if self.state.load(Relaxed) != AWAKE && self.state.swap(AWAKE, SeqCst) == ASLEEP {
            start();
        }
        let polled = poll();
        if let Some(before) = before {
            let _ = THIS.try_with(|thread| thread.polls(before));
        }
        polled
    }

    /// Notes that nothing is polled. Returns whether the monitor has to end.
    fn has_seen_nothing(&self) -> bool {
        let dozes = self.state.compare_exchange(DOZING, ASLEEP, SeqCst, SeqCst).is_ok();
        if !dozes {
            let _ = self.state.compare_exchange(AWAKE, DOZING, SeqCst, SeqCst);
        }
        dozes
    }

    /// Returns whether the log may name this kind now.
    fn may_name(&self, kind: &Arc<str>) -> bool {
        let (mut named, now) = (self.named.lock(), Instant::now());
        named.retain(|(_, at)| now.saturating_duration_since(*at) < QUIET);
        let may = !named.iter().any(|(other, _)| other == kind);
        if may {
            named.push((Arc::clone(kind), now));
        }
        may
    }
}

/// What the monitor has seen of a thread that polls a task.
struct Seen {
    thread: Arc<Thread>,
    polls: u64,
    task: Halves,
    /// For how long the thread has been in this poll.
    held: Duration,
}

/// Watches the threads until no task has been polled for a while, or the engine is gone. `find` returns the task with an
/// id, unless it is another engine's.
pub(crate) async fn watch(
    monitor: Weak<Monitor>,
    runtimes: Runtimes,
    find: impl Fn(TaskId) -> Option<Arc<Record>> + Send,
) {
    let mut seen = Vec::new();
    let mut wake: Option<JoinHandle<()>> = None;
    loop {
        sleep(LOOK).await;
        let Some(monitor) = monitor.upgrade() else { return };
        seen = look(seen);
        if seen.is_empty() && monitor.has_seen_nothing() {
            return;
        }
        if seen.iter().any(|seen| !seen.held.is_zero()) && wake.as_ref().is_none_or(JoinHandle::is_finished) {
            // While a worker is held that was the one to wait for timers and sockets, tokio lets no idle worker take over:
            // https://github.com/tokio-rs/tokio/issues/4730. This wakes one, which does. If the last one still waits, there is
            // none to wake.
            wake = Some(runtimes.work.spawn(async {}));
        }
        for held in seen.iter().filter(|seen| seen.held == HELD) {
            if let Some(record) = find(TaskId::of_halves(held.task))
                && monitor.may_name(&record.kind.name)
            {
                warn(&record);
            }
        }
    }
}

/// Looks at all threads. `before` is what the last look has seen.
fn look(before: Vec<Seen>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for thread in threads() {
        let (polls, task) = (thread.polls.load(Acquire), thread.polled());
        if task != NONE {
            let is_same = |seen: &&Seen| Arc::ptr_eq(&seen.thread, &thread) && seen.polls == polls && seen.task == task;
            let held = before.iter().find(is_same).map_or(Duration::ZERO, |seen| seen.held + LOOK);
            seen.push(Seen { thread, polls, task, held });
        }
    }
    seen
}

fn warn(record: &Record) {
    tracing::warn!(
        task = logged(record.name()),
        id = %record.id,
        "the task has held a thread for {HELD:?}: now and then its code must reach an .await that waits, such as \
         tokio::task::yield_now().await, or block in TaskContext::spawn_blocking. Unless it blocks in \
         tokio::task::block_in_place, that thread runs no other handler meanwhile"
    );
}
