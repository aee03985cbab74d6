//! Timeouts, stalls, deadlines and delays.

use std::{sync::mpsc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::manager;
use crate::{
    Backoff, CancelReason, Failure, LimitOf, Outcome, Retry, StartOptions, TaskChange, TaskContext, TaskHandle,
    TaskManager, TaskStatus, TimeLimit,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A manager of one kind, `a`, whose tasks take as many seconds as their input says.
fn sleeper(policy: Policy) -> TaskManager {
    let kind = Kind::new("a", policy, Errors::default(), async |_: TaskContext, seconds: u64| {
        sleep(secs(seconds)).await;
        Ok::<_, Failure>(())
    });
    manager([kind], Settings::default())
}

/// Returns the limit that ended the task, the message, and the time of the end in milliseconds since the manager was
/// made.
async fn timed_out(task: &TaskHandle) -> (TimeLimit, String, u64) {
    let Outcome::TimedOut { limit, message } = task.outcome().await else { panic!("{:?}", task.snapshot()) };
    let snapshot = task.snapshot();
    assert_eq!((snapshot.status, snapshot.time_limit), (TaskStatus::TimedOut, Some(limit)));
    assert_eq!((snapshot.cancel_reason, snapshot.error, snapshot.next_attempt_at), (None, None, None));
    (limit, message, snapshot.ended_at.unwrap())
}

/// Up to ten attempts, this many seconds apart.
fn every(seconds: u64) -> Retry {
    Retry::attempts(10).backoff(Backoff::constant(secs(seconds)))
}

/// A manager of one kind, `a`, that fails after a second.
fn failing(policy: Policy) -> TaskManager {
    let kind = Kind::new("a", policy, Errors::default(), async |_: TaskContext, (): ()| {
        sleep(secs(1)).await;
        Err::<(), _>(Failure::new("no"))
    });
    manager([kind], Settings::default())
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_the_task_and_says_which_limit_it_was() {
    let tasks = sleeper(Policy { timeout: Some(secs(90)), ..Policy::default() });
    let task = tasks.start("a", 100).unwrap();
    let (limit, message, at) = timed_out(&task).await;
    assert_eq!((limit, at), (TimeLimit::Timeout, 90_000));
    assert_eq!(message, "task \"a\" took longer than its timeout of 1m 30s");
    assert_eq!(tasks.start("a", 89).unwrap().outcome().await.output::<()>().unwrap(), Some(()));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_covers_all_attempts_and_the_waits_between_them() {
    let tasks = failing(Policy { timeout: Some(secs(4)), retry: Some(every(1)), ..Policy::default() });
    let running = tasks.start("a", ()).unwrap();
    assert_eq!(timed_out(&running).await.2, 4_000);
    assert_eq!(running.snapshot().attempt, 2, "the third attempt was about to begin");

    let tasks = failing(Policy { timeout: Some(secs(4)), retry: Some(every(60)), ..Policy::default() });
    let retrying = tasks.start("a", ()).unwrap();
    sleep(secs(3)).await;
    assert_eq!(retrying.status(), TaskStatus::Retrying);
    assert_eq!((timed_out(&retrying).await.0, retrying.snapshot().attempt), (TimeLimit::Timeout, 1));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_excludes_the_wait_before_the_first_attempt() {
    let tasks = sleeper(Policy { timeout: Some(secs(5)), concurrency: Some(1), ..Policy::default() });
    let started: Vec<_> = (0..3).map(|_| tasks.start("a", 4).unwrap()).collect();
    for task in started {
        assert_eq!(task.outcome().await.output::<()>().unwrap(), Some(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_includes_the_wait_for_a_slot_before_another_attempt() {
    let policy = Policy { timeout: Some(secs(5)), retry: Some(every(1)), concurrency: Some(1), ..Policy::default() };
    let tasks = failing(policy);
    let task = tasks.start("a", ()).unwrap();
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(task.status(), TaskStatus::Retrying);
    tasks.set_limit(LimitOf::App, 0).unwrap();
    sleep(secs(1)).await;
    assert_eq!(task.status(), TaskStatus::Queued, "its delay is over, but no slot is free");
    let (limit, _, at) = timed_out(&task).await;
    assert_eq!((limit, at, task.snapshot().attempt), (TimeLimit::Timeout, 5_000, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_timeout_counts_from_each_attempt_and_is_not_retried() {
    let policy = Policy { attempt_timeout: Some(secs(3)), retry: Some(every(1)), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext, hangs: u32| {
        sleep(secs(if ctx.attempt() == hangs { 60 } else { 2 })).await;
        Err::<(), _>(Failure::new("no"))
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", 3).unwrap();
    let (limit, message, at) = timed_out(&task).await;
    assert_eq!((limit, at), (TimeLimit::AttemptTimeout, 9_000), "after two attempts of 2 s and two waits");
    assert_eq!(message, "an attempt of task \"a\" took longer than its attempt_timeout of 3s");
    assert_eq!(task.snapshot().attempt, 3);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_reports_nothing_stalls() {
    let tasks = sleeper(Policy { stall_timeout: Some(secs(8)), ..Policy::default() });
    assert_eq!(tasks.start("a", 7).unwrap().outcome().await.output::<()>().unwrap(), Some(()));
    let (limit, message, at) = timed_out(&tasks.start("a", 60).unwrap()).await;
    assert_eq!(limit, TimeLimit::Stalled);
    assert_eq!(message, "task \"a\" stalled: it reported and emitted nothing for its stall_timeout of 8s");
    assert!((15_000..=16_000).contains(&at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn any_report_keeps_a_task_from_stalling_for_a_while() {
    let policy = Policy { stall_timeout: Some(secs(8)), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext<String>, (): ()| {
        for round in 0..10 {
            sleep(secs(7)).await;
            match round % 4 {
                0 => ctx.progress().inc(0),
                1 => ctx.progress().message("still the same"),
                2 => ctx.progress().detail("x".repeat(5_000)), // It is left out.
                _ => ctx.progress().set(0),
            };
        }
        std::future::pending::<Result<(), Failure>>().await
    });
    let task = manager([kind], Settings::default()).start("a", ()).unwrap();
    let (limit, _, at) = timed_out(&task).await;
    assert_eq!(limit, TimeLimit::Stalled);
    assert!((78_000..=79_000).contains(&at), "8 s after the last report, plus at most an eighth: {at}");
}

#[tokio::test(start_paused = true)]
async fn the_stall_timeout_begins_again_with_each_attempt() {
    let policy = Policy { stall_timeout: Some(secs(2)), retry: Some(every(60)), ..Policy::default() };
    let tasks = failing(policy);
    let task = tasks.start("a", ()).unwrap();
    sleep(secs(200)).await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Retrying, 4));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_task_in_any_status() {
    let by = |deadline| StartOptions::new().deadline(secs(deadline));
    let tasks = sleeper(Policy { concurrency: Some(1), ..Policy::default() });
    let running = tasks.start_with("a", 60, by(10)).unwrap();
    let queued = tasks.start_with("a", 1, by(5)).unwrap();
    let held = tasks.start_with("a", 1, by(6).held()).unwrap();
    let delayed = tasks.start_with("a", 1, by(7).delay(secs(60))).unwrap();
    for (task, at) in [(&queued, 5_000), (&held, 6_000), (&delayed, 7_000), (&running, 10_000)] {
        let (limit, message, ended_at) = timed_out(task).await;
        assert_eq!((limit, ended_at), (TimeLimit::Deadline, at));
        let length = at / 1_000;
        assert_eq!(message, format!("task \"a\" had not ended by its deadline, {length}s after it was accepted"));
    }
    assert!([queued, held, delayed].iter().all(|task| task.snapshot().started_at.is_none()), "they never ran");

    let tasks = failing(Policy { deadline: Some(secs(10)), retry: Some(every(60)), ..Policy::default() });
    let retrying = tasks.start("a", ()).unwrap();
    assert_eq!(timed_out(&retrying).await.2, 10_000);
    assert_eq!(retrying.snapshot().attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_missed_its_deadline_in_the_queue_leaves_it() {
    let tasks = sleeper(Policy { concurrency: Some(1), queue_limit: Some(1), ..Policy::default() });
    tasks.start("a", 60).unwrap();
    let queued = tasks.start_with("a", 1, StartOptions::new().deadline(secs(5))).unwrap();
    timed_out(&queued).await;
    let next = tasks.start("a", 1).unwrap();
    assert_eq!(next.snapshot().queue.unwrap().position, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_start_shortens_the_limits_of_its_kind_and_never_lengthens_them() {
    let policy = Policy { timeout: Some(secs(5)), ..Policy::default() };
    for (asked, length) in [(2, 2), (60, 5)] {
        let task = sleeper(policy.clone()).start_with("a", 100, StartOptions::new().timeout(secs(asked))).unwrap();
        let (limit, message, at) = timed_out(&task).await;
        assert_eq!((limit, at), (TimeLimit::Timeout, length * 1_000));
        assert!(message.ends_with(&format!("{length}s")), "{message}");
    }
    let policy = Policy { deadline: Some(secs(5)), ..Policy::default() };
    for (asked, length) in [(2, 2), (60, 5)] {
        let task = sleeper(policy.clone()).start_with("a", 100, StartOptions::new().deadline(secs(asked))).unwrap();
        assert_eq!(timed_out(&task).await.2, length * 1_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_can_set_limits_that_its_kind_does_not_have() {
    let tasks = sleeper(Policy::default());
    let timeout = tasks.start_with("a", 100, StartOptions::new().timeout(secs(2))).unwrap();
    let deadline = tasks.start_with("a", 100, StartOptions::new().deadline(secs(3))).unwrap();
    assert_eq!((timed_out(&timeout).await.2, timed_out(&deadline).await.2), (2_000, 3_000));
}

// Delays.

#[tokio::test(start_paused = true)]
async fn a_delayed_task_says_when_it_is_due_and_runs_then() {
    let tasks = sleeper(Policy::default());
    let task = tasks.start_with("a", 1, StartOptions::new().delay(secs(30))).unwrap();
    let snapshot = task.snapshot();
    assert_eq!((snapshot.status, snapshot.next_attempt_at), (TaskStatus::Queued, Some(30_000)));
    let place = snapshot.queue.unwrap();
    assert_eq!((place.position, place.held), (None, false), "it has no position before its delay is over");
    task.outcome().await;
    assert_eq!((task.snapshot().started_at, task.snapshot().next_attempt_at), (Some(30_000), None));
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_a_start_overrides_that_of_its_kind() {
    let tasks = sleeper(Policy { delay: Some(secs(30)), ..Policy::default() });
    let delays = [StartOptions::new(), StartOptions::new().delay(secs(60)), StartOptions::new().delay(Duration::ZERO)];
    let started = delays.map(|options| tasks.start_with("a", 1, options).unwrap());
    for (task, at) in started.iter().zip([30_000, 60_000, 0]) {
        task.outcome().await;
        assert_eq!(task.snapshot().started_at, Some(at));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_only_for_a_slot_shows_no_time() {
    let tasks = sleeper(Policy { delay: Some(secs(5)), concurrency: Some(1), ..Policy::default() });
    let runs = tasks.start_with("a", 60, StartOptions::new().delay(Duration::ZERO)).unwrap();
    let due = tasks.start("a", 1).unwrap();
    let undelayed = tasks.start_with("a", 1, StartOptions::new().delay(Duration::ZERO)).unwrap();
    sleep(secs(10)).await;
    assert_eq!(runs.status(), TaskStatus::Running);
    assert_eq!((due.status(), due.snapshot().next_attempt_at), (TaskStatus::Queued, None), "its delay is over");
    assert_eq!(undelayed.snapshot().next_attempt_at, None, "it had no delay");
}

#[tokio::test(start_paused = true)]
async fn a_delayed_task_can_be_cancelled_and_never_runs() {
    let tasks = sleeper(Policy::default());
    let task = tasks.start_with("a", 1, StartOptions::new().delay(secs(30))).unwrap();
    task.cancel().unwrap();
    assert_eq!(task.status(), TaskStatus::Cancelled);
    assert_eq!(task.snapshot().next_attempt_at, None);
    sleep(secs(60)).await;
    assert_eq!(task.snapshot().started_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_task_still_waits_for_its_delay() {
    let tasks = sleeper(Policy::default());
    let task = tasks.start_with("a", 1, StartOptions::new().delay(secs(30)).held()).unwrap();
    sleep(secs(10)).await;
    task.resume().unwrap();
    task.outcome().await;
    assert_eq!(task.snapshot().started_at, Some(30_000));
}

// Limits on running tasks.

#[tokio::test(start_paused = true)]
async fn a_time_limit_grants_the_grace_period_and_decides_the_outcome() {
    use TaskStatus::{Cancelling, Running, TimedOut};
    let policy = Policy { timeout: Some(secs(2)), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext, completes: bool| {
        ctx.cancelled().await;
        sleep(secs(1)).await;
        if completes { Ok("done after all") } else { Err(Failure::new("stopped")) }
    });
    let tasks = manager([kind], Settings::default());
    for (completes, ended_at) in [(true, 3_000), (false, 6_000)] {
        let task = tasks.start("a", completes).unwrap();
        let mut watch = task.watch();
        let mut told = Vec::new();
        while let Some(event) = watch.next().await {
            if let TaskChange::Status(change) = event.change {
                told.push((change.status, change.time_limit));
            }
        }
        let limit = Some(TimeLimit::Timeout);
        assert_eq!(told, [(Running, None), (Cancelling, limit), (TimedOut, limit)]);
        assert_eq!(timed_out(&task).await.2, ended_at);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_to_stop_a_task_decides_its_outcome() {
    let policy = Policy { timeout: Some(secs(2)), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext, (): ()| {
        ctx.cancelled().await;
        sleep(secs(3)).await;
        Err::<(), _>(Failure::new("stopped"))
    });
    let tasks = manager([kind], Settings::default());
    let (cancelled, timed) = (tasks.start("a", ()).unwrap(), tasks.start("a", ()).unwrap());
    sleep(secs(1)).await;
    cancelled.cancel().unwrap();
    sleep(secs(2)).await;
    timed.cancel().unwrap();
    assert_eq!(timed.snapshot().cancel_reason, None);
    timed_out(&timed).await;
    assert!(matches!(cancelled.outcome().await, Outcome::Cancelled { reason: CancelReason::User }));
    assert_eq!(cancelled.snapshot().time_limit, None);
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_does_not_change_an_ended_task() {
    let all = Some(secs(5));
    let policy = Policy { timeout: all, attempt_timeout: all, stall_timeout: all, deadline: all, ..Policy::default() };
    let task = sleeper(policy).start("a", 1).unwrap();
    task.outcome().await;
    let ended = task.snapshot();
    sleep(secs(60)).await;
    assert_eq!(task.snapshot(), ended);
}

/// Uses real threads and real time: only another thread can tell a task that never yields to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_never_yields_is_overdue_and_times_out() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(Some(gate));
    let limit = Some(Duration::from_millis(20));
    let policy = Policy { timeout: limit, grace: Duration::ZERO, concurrency: Some(1), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), move |_: TaskContext, (): ()| {
        let gate = gate.lock().take();
        async move {
            // The second task finds no gate.
            let _ = gate.map(|gate| gate.recv());
            Ok::<_, Failure>(())
        }
    });
    let tasks = manager([kind], Settings::default());
    let begin = Instant::now();
    let (stuck, next) = (tasks.start("a", ()).unwrap(), tasks.start("a", ()).unwrap());
    let mut watch = stuck.watch();
    let mut told = Vec::new();
    while told.last() != Some(&(TaskStatus::Cancelling, true)) {
        let next = timeout(secs(3), watch.next()).await.expect("a handler that holds its thread is not stopped");
        if let TaskChange::Status(change) = next.unwrap().change {
            told.push((change.status, change.overdue));
        }
    }
    assert_eq!(told[told.len() - 2], (TaskStatus::Cancelling, false), "it was told to stop before it was overdue");
    assert!(begin.elapsed() >= Duration::from_millis(20));
    assert_eq!((next.status(), stuck.snapshot().overdue), (TaskStatus::Queued, true), "it keeps its slot");
    drop(open);
    assert_eq!(timed_out(&stuck).await.0, TimeLimit::Timeout);
    assert_eq!(next.outcome().await.output::<()>().unwrap(), Some(()));
}
