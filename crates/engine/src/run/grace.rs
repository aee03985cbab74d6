//! Ends the grace periods of the tasks that were told to stop, all on one timer. A tokio task with timers of its own for
//! each of them would take as long as the cancel itself.
//!
//! The timer runs while a task is stopping. While there is none, nothing runs.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::held_threads::is_polled;
use crate::{
    clock::{awake_time::AwakeTime, timers::Timers},
    lock::{CLOCK, Lock},
    logged::logged,
    record::Record,
    task::id::{IdMap, TaskId},
};

/// How long after its grace period a handler may take to be dropped before the task counts as overdue.
const OVERDUE_SLACK: Duration = Duration::from_millis(100);
/// How far ahead a look may be. Far more than anybody waits, and few enough to be added to any time.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The grace periods of one engine.
pub(super) struct GracePeriods {
    control: Handle,
    timers: Arc<Timers>,
    waiting: Lock<Waiting, CLOCK>,
    /// Wakes the timer when a look comes before the one that it waits for.
    sooner: Notify,
}

#[derive(Default)]
struct Waiting {
    tasks: IdMap<Stopping>,
    /// When to look at them, soonest first.
    looks: BTreeSet<(Instant, TaskId)>,
    /// Whether the timer runs.
    runs: bool,
    /// The look that the timer waits for; `None` while it doesn't wait.
    until: Option<Instant>,
}

/// A task that was told to stop and has not ended.
struct Stopping {
    record: Weak<Record>,
    look_at: Instant,
    /// How long ago it was told, counted exactly until it is overdue.
    told: AwakeTime,
    is_hurried: bool,
}

/// What a look sees of a task.
struct Seen {
    record: Arc<Record>,
    told: Duration,
    is_hurried: bool,
}

/// What holds for a task until the next look at it.
#[derive(Clone, Copy)]
struct Next {
    look_at: Instant,
    is_hurried: bool,
}

impl Waiting {
    /// Returns what there is to see of a task. Removes one that is gone.
    fn see(&mut self, id: TaskId, now: Instant) -> Option<Seen> {
        let task = self.tasks.get_mut(&id)?;
        let Some(record) = task.record.upgrade() else {
            self.remove(id);
            return None;
        };
        Some(Seen { record, told: task.told.read(now), is_hurried: task.is_hurried })
    }

    /// Puts off the next look at a task, or removes the task if there is none.
    fn put_off(&mut self, id: TaskId, next: Option<Next>) {
        let Some(next) = next else { return self.remove(id) };
        // It may have ended in the meantime.
        let Some(task) = self.tasks.get_mut(&id) else { return };
        self.looks.remove(&(task.look_at, id));
        (task.look_at, task.is_hurried) = (next.look_at, next.is_hurried);
        self.looks.insert((next.look_at, id));
    }

    fn remove(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(&id) {
            self.looks.remove(&(task.look_at, id));
        }
    }

    /// Returns when to look next. If there is nothing to look at, the timer ends.
    fn next(&mut self) -> Option<Instant> {
        self.until = self.looks.first().map(|(at, _)| *at);
        self.runs = self.until.is_some();
        self.until
    }

    /// Returns the tasks to look at by `now`.
    fn due(&mut self, now: Instant) -> Vec<TaskId> {
        self.until = None;
        self.looks.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect()
    }
}

/// Watches the grace period of one task until it is dropped.
#[must_use]
pub(super) struct GracePeriod {
    of: Arc<GracePeriods>,
    id: TaskId,
}

impl Drop for GracePeriod {
    fn drop(&mut self) {
        // The timer is not told: it finds nothing to look at.
        self.of.waiting.lock().remove(self.id);
    }
}

impl GracePeriods {
    pub(super) fn new(control: Handle, timers: Arc<Timers>) -> Arc<Self> {
        Arc::new(Self { control, timers, waiting: Lock::default(), sooner: Notify::new() })
    }

    /// Watches the grace period of a task that was just told to stop: ends it for its handler, and marks the task as
    /// overdue if it exceeds that.
    pub(super) fn watch(self: &Arc<Self>, record: &Arc<Record>) -> GracePeriod {
        let (id, grace, now) = (record.id, record.kind.policy.grace, Instant::now());
        let look_at = self.next_look(now, grace, grace);
        let told = self.timers.awake_time(grace.saturating_add(OVERDUE_SLACK));
        let mut waiting = self.waiting.lock();
        waiting.tasks.insert(id, Stopping { record: Arc::downgrade(record), look_at, told, is_hurried: false });
        waiting.looks.insert((look_at, id));
        let was_running = std::mem::replace(&mut waiting.runs, true);
        let is_sooner = waiting.until.is_some_and(|until| look_at < until);
        drop(waiting);
        if !was_running {
            self.control.spawn(Arc::clone(self).run());
        } else if is_sooner {
            self.sooner.notify_one();
        }
        GracePeriod { of: Arc::clone(self), id }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let Some(until) = self.waiting.lock().next() else { return };
            tokio::select! {
                () = sleep_until(until) => {}
                () = self.sooner.notified() => continue,
            }
            let due = self.waiting.lock().due(Instant::now());
            for id in due {
                self.look(id);
                tokio::task::consume_budget().await;
            }
        }
    }

    fn look(&self, id: TaskId) {
        let now = Instant::now();
        let seen = self.waiting.lock().see(id, now);
        let Some(seen) = seen else { return };
        let next = self.next(&seen, now);
        self.waiting.lock().put_off(id, next);
        if next.is_some() {
            return;
        }
        if seen.record.outstay() {
            warn_of_overdue(&seen.record);
        }
    }

    /// Tells the handler of a task to hurry if its grace period is over. Returns when to look at the task again; `None` if it
    /// is overdue.
    fn next(&self, Seen { record, told, is_hurried }: &Seen, now: Instant) -> Option<Next> {
        let grace = record.kind.policy.grace;
        let used = record.attempt().filter(|_| !is_hurried).map_or(grace, |attempt| attempt.stopped_for(now));
        let left = grace.saturating_sub(used);
        if !left.is_zero() {
            return Some(Next { look_at: self.next_look(now, left, grace), is_hurried: false });
        }
        if !is_hurried {
            record.hurry();
        }
        let limit = grace.saturating_add(OVERDUE_SLACK);
        let left = limit.saturating_sub(*told);
        (!left.is_zero()).then(|| Next { look_at: self.next_look(now, left, limit), is_hurried: true })
    }

    /// Returns when to look again at a time that has to last for `left` and is counted in the steps of `length`.
    fn next_look(&self, now: Instant, left: Duration, length: Duration) -> Instant {
        now + left.min(self.timers.step(length)).min(FAR)
    }
}

fn warn_of_overdue(record: &Record) {
    if record.members.is_some() {
        // Its members are overdue, and the log names each of them.
        return;
    }
    let why = if is_polled(record.id) {
        "its code holds its thread: now and then it must reach an .await that waits, such as \
         tokio::task::yield_now().await, or check TaskContext::is_cancelled; or block in TaskContext::spawn_blocking"
    } else if record.attempt().is_some_and(|attempt| !attempt.is_over()) {
        "its handler waits for a thread, and other tasks hold all threads of the tasks' runtime"
    } else {
        "its blocking work or its clean-up still runs: blocking work must check the token that it gets"
    };
    tracing::warn!(
        task = logged(record.name()),
        id = %record.id,
        "the task is overdue: it was told to stop, and its grace period of {:?} is over, but {why}",
        record.kind.policy.grace
    );
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;
    use crate::{
        Failure, TaskContext,
        clock::Clocks,
        delivery::{Settings, engine},
        test::manager,
    };

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_a_grace_period_that_is_no_longer_watched() {
        let tasks = manager([], Settings::default());
        let record = |_| {
            let task = tasks.spawn("hangs", |_: TaskContext| pending::<Result<(), Failure>>());
            engine(&tasks).find(task.id()).unwrap()
        };
        let [first, second] = [0, 1].map(record);
        let timers = Timers::new(&Clocks::new(|| 0, || Duration::ZERO, false), Handle::current());
        let periods = GracePeriods::new(Handle::current(), Arc::new(timers));
        let watched = [periods.watch(&first), periods.watch(&second)];
        for (dropped, left) in watched.into_iter().zip([1, 0]) {
            sleep(Duration::from_millis(10)).await;
            drop(dropped);
            let waiting = periods.waiting.lock();
            assert_eq!((waiting.tasks.len(), waiting.looks.len(), waiting.runs), (left, left, true));
        }
        sleep(first.kind.policy.grace).await;
        assert!(!periods.waiting.lock().runs, "the timer ends");
        let _watched = periods.watch(&first);
        assert!(periods.waiting.lock().runs, "and runs again");
    }
}
