//! Limits, queues, priorities, holds and places.

use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::manager;
use crate::{
    ErrorKind, Failure, LimitOf, Outcome, QueuePlace, StartOptions, TaskChange, TaskContext, TaskFilter, TaskHandle,
    TaskManager, TaskStatus, TaskWatch,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

/// A kind whose tasks take as many milliseconds as their input says.
fn sleeper(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |_: TaskContext, millis: u64| {
        sleep(Duration::from_millis(millis)).await;
        Ok::<_, Failure>(())
    })
}

fn at_once(limit: usize) -> Policy {
    Policy { concurrency: Some(limit), ..Policy::default() }
}

/// A manager of one kind, `a`, of which one task runs at a time.
fn one_by_one() -> TaskManager {
    manager([sleeper("a", at_once(1))], Settings::default())
}

fn prioritized(priority: i32) -> StartOptions {
    StartOptions::new().priority(priority)
}

/// Waits for the tasks to end. Returns when each began, in milliseconds.
async fn begun(tasks: &[TaskHandle]) -> Vec<u64> {
    let mut begun = Vec::new();
    for task in tasks {
        task.outcome().await;
        begun.push(task.snapshot().started_at.unwrap());
    }
    begun
}

fn positions(tasks: &[TaskHandle]) -> Vec<Option<u32>> {
    tasks.iter().map(|task| task.snapshot().queue.and_then(|place| place.position)).collect()
}

/// Makes `change` while `watch` waits. Returns the place that `watch` reports within 100 ms, and after how many ms.
async fn told_after(watch: &mut TaskWatch, change: impl FnOnce()) -> Option<(QueuePlace, u128)> {
    let next = async {
        loop {
            if let TaskChange::Queue(place) = watch.next().await?.change {
                return Some((place, Instant::now()));
            }
        }
    };
    let change = async {
        sleep(Duration::from_millis(1)).await;
        change();
        Instant::now()
    };
    let (told, changed) = tokio::join!(timeout(Duration::from_millis(102), next), change);
    told.ok().flatten().map(|(place, at)| (place, (at - changed).as_millis()))
}

// Which tasks run.

#[tokio::test(start_paused = true)]
async fn a_kind_runs_no_more_tasks_than_its_limit() {
    let tasks = manager([sleeper("a", at_once(2))], Settings::default());
    let started: Vec<_> = (0..5).map(|_| tasks.start("a", 10).unwrap()).collect();
    assert_eq!(begun(&started).await, [0, 0, 10, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn the_app_runs_no_more_tasks_than_its_limit() {
    let settings = Settings { concurrency: Some(1), ..Settings::default() };
    let tasks = manager([sleeper("a", Policy::default()), sleeper("b", at_once(5))], settings);
    let spawned = || {
        let task = tasks.spawn("ad hoc", async |_: TaskContext| {
            sleep(Duration::from_millis(10)).await;
            Ok::<_, Failure>(())
        });
        task.untyped()
    };
    let started = [tasks.start("a", 10).unwrap(), spawned(), tasks.start("b", 10).unwrap(), spawned()];
    sleep(Duration::from_millis(5)).await;
    assert_eq!(positions(&started), [None, Some(1), Some(1), Some(2)], "each kind has its own queue");
    assert_eq!(begun(&started).await, [0, 10, 20, 30]);
}

#[tokio::test(start_paused = true)]
async fn the_kinds_of_a_group_share_its_limit_and_others_do_not() {
    let in_group = || Policy { group: Some("disk".into()), ..Policy::default() };
    let kinds = [sleeper("a", in_group()), sleeper("b", in_group()), sleeper("c", Policy::default())];
    let tasks = manager(kinds, Settings { groups: vec![("disk".into(), 1)], ..Settings::default() });
    let started = ["a", "b", "a", "c"].map(|task| tasks.start(task, 10).unwrap());
    assert_eq!(begun(&started).await, [0, 10, 20, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_tightest_limit_counts() {
    let grouped = |limit| Policy { group: Some("net".into()), ..at_once(limit) };
    let settings = Settings { concurrency: Some(3), groups: vec![("net".into(), 2)], ..Settings::default() };
    let tasks =
        manager([sleeper("a", grouped(1)), sleeper("b", grouped(9)), sleeper("c", Policy::default())], settings);
    let started = ["a", "a", "b", "b", "c", "c"].map(|task| tasks.start(task, 10).unwrap());
    // The first `a` and `b` fill the group, and the first `c` fills the app. Then the others do the same.
    assert_eq!(begun(&started).await, [0, 10, 0, 10, 0, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_free_again_however_its_task_ended() {
    use TaskStatus::{Cancelled, Completed, Failed, TimedOut};
    let policy = Policy { timeout: Some(Duration::from_millis(10)), grace: Duration::ZERO, ..at_once(1) };
    let odd = Kind::new("odd", policy, Errors::default(), async |_: TaskContext, how: u8| match how {
        0 => Err(Failure::new("no")),
        1 => panic!("as told"),
        2 => Ok(()),
        _ => std::future::pending().await,
    });
    let tasks = manager([odd], Settings::default());
    let started: Vec<_> = [0, 1, 2, 3, 4, 4].map(|how| tasks.start("odd", how).unwrap()).into();
    sleep(Duration::from_millis(15)).await;
    started[4].cancel().unwrap();
    let mut ends = Vec::new();
    for task in &started {
        task.outcome().await;
        ends.push(task.status());
    }
    assert_eq!(ends, [Failed, Failed, Completed, TimedOut, Cancelled, TimedOut]);
    assert_eq!(started[5].snapshot().started_at, Some(15));
}

#[tokio::test(start_paused = true)]
async fn tasks_run_by_priority_and_then_by_age() {
    let tasks = one_by_one();
    let started: Vec<_> =
        [0, 0, 10, -1, 0, 10].map(|priority| tasks.start_with("a", 10, prioritized(priority)).unwrap()).into();
    assert_eq!(begun(&started).await, [0, 30, 10, 50, 40, 20]);
}

#[tokio::test(start_paused = true)]
async fn priorities_count_across_kinds() {
    let settings = Settings { concurrency: Some(1), ..Settings::default() };
    let tasks = manager(["a", "b"].map(|name| sleeper(name, Policy::default())), settings);
    let started = [("a", 0), ("a", 0), ("b", 1)]
        .map(|(task, priority)| tasks.start_with(task, 10, prioritized(priority)).unwrap());
    assert_eq!(begun(&started).await, [0, 20, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_priority_can_be_changed_while_a_task_waits() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..4).map(|_| tasks.start("a", 10).unwrap()).collect();
    tasks.set_priority(started[3].id(), 1).unwrap();
    started[1].set_priority(-1).unwrap();
    assert_eq!(positions(&started), [None, Some(3), Some(2), Some(1)]);
    // Back to the old priority: the older task is first again.
    started[1].set_priority(0).unwrap();
    assert_eq!(begun(&started).await, [0, 20, 30, 10]);
    assert_eq!(started[3].set_priority(2).unwrap_err().kind, ErrorKind::NotQueued);
}

// Holding.

#[tokio::test(start_paused = true)]
async fn a_held_task_does_not_run_until_it_is_resumed() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..3).map(|_| tasks.start("a", 10).unwrap()).collect();
    for _ in 0..2 {
        started[1].pause().unwrap();
    }
    assert_eq!(positions(&started), [None, None, Some(1)]);
    assert!(started[1].snapshot().queue.unwrap().held);
    sleep(Duration::from_millis(100)).await;
    assert_eq!((started[1].status(), started[2].status()), (TaskStatus::Queued, TaskStatus::Completed));
    started[1].resume().unwrap();
    assert_eq!(begun(&started).await, [0, 100, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_task_has_its_old_place() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..3).map(|_| tasks.start("a", 10).unwrap()).collect();
    started[1].pause().unwrap();
    for _ in 0..2 {
        started[1].resume().unwrap();
    }
    assert_eq!(begun(&started).await, [0, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_task_can_be_started_held() {
    let tasks = one_by_one();
    let held = tasks.start_with("a", 10, StartOptions::new().held()).unwrap();
    assert_eq!(held.snapshot().queue, Some(QueuePlace { position: None, priority: 0, held: true }));
    sleep(Duration::from_millis(50)).await;
    tasks.resume(held.id()).unwrap();
    assert_eq!(begun(&[held]).await, [50]);
}

#[tokio::test(start_paused = true)]
async fn only_a_waiting_task_can_be_paused_resumed_or_given_a_priority() {
    let tasks = one_by_one();
    let task = tasks.start("a", 10).unwrap();
    sleep(Duration::from_millis(1)).await;
    let errors = [task.pause(), task.resume(), task.set_priority(1)].map(Result::unwrap_err);
    assert_eq!(
        errors.each_ref().map(|error| error.kind),
        [ErrorKind::NotPausable, ErrorKind::NotPausable, ErrorKind::NotQueued]
    );
    for error in errors {
        assert_eq!(error.data.unwrap().text(), r#"{"status":"running"}"#);
        assert!(error.message.contains("(running)"), "{}", error.message);
    }
    task.outcome().await;
    for error in [task.pause(), task.resume()].map(Result::unwrap_err) {
        assert_eq!(error.kind, ErrorKind::AlreadyEnded);
        assert_eq!(error.data.unwrap().text(), r#"{"status":"completed"}"#);
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_for_a_task_about_to_begin_does_not_say_that_it_is_queued() {
    let tasks = one_by_one();
    let task = tasks.start("a", 10).unwrap();
    assert_eq!(task.status(), TaskStatus::Queued, "its handler has not been called yet");
    let error = task.pause().unwrap_err();
    assert!(error.message.contains("its turn has just come"), "{error}");
    task.resume().unwrap();
}

// Places.

#[tokio::test(start_paused = true)]
async fn a_waiting_task_shows_its_place() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..4).map(|_| tasks.start("a", 10).unwrap()).collect();
    assert_eq!(positions(&started), [None, Some(1), Some(2), Some(3)]);
    sleep(Duration::from_millis(15)).await;
    assert_eq!(positions(&started), [None, None, Some(1), Some(2)]);
    started[2].outcome().await;
    assert_eq!(started[2].snapshot().queue, None, "an ended task is in no queue");
}

#[tokio::test(start_paused = true)]
async fn positions_are_counted_up_to_a_thousand() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..1_005).map(|_| tasks.start("a", 10).unwrap()).collect();
    let positions = positions(&started);
    assert_eq!((positions[999], positions[1_000], positions[1_004]), (Some(999), Some(1_000), Some(1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_of_each_new_place_once() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..4).map(|_| tasks.start("a", 1_000).unwrap()).collect();
    let mut watch = started[3].watch();
    assert_eq!(watch.snapshot().queue.unwrap().position, Some(3));
    let mut told = Vec::new();
    while let Some(event) = watch.next().await {
        told.push(match event.change {
            TaskChange::Queue(place) => format!("place {}", place.position.unwrap()),
            TaskChange::Status(change) => format!("{:?}", change.status),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["place 2", "place 1", "Running", "Completed"]);
}

#[tokio::test(start_paused = true)]
async fn watchers_learn_their_new_places_when_a_task_ahead_moves() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..5).map(|_| tasks.start("a", 60_000).unwrap()).collect();
    let mut last = started[4].watch();
    let position = |told: Option<(QueuePlace, u128)>| told.and_then(|(place, _)| place.position);
    assert_eq!(position(told_after(&mut last, || started[1].pause().unwrap()).await), Some(3));
    assert_eq!(position(told_after(&mut last, || started[1].resume().unwrap()).await), Some(4));
    assert_eq!(position(told_after(&mut last, || started[1].set_priority(-1).unwrap()).await), Some(3));
    assert_eq!(position(told_after(&mut last, || started[2].cancel().unwrap()).await), Some(2));
    assert_eq!(position(told_after(&mut last, || started[0].cancel().unwrap()).await), Some(1));
}

#[tokio::test(start_paused = true)]
async fn watchers_learn_their_new_places_when_a_task_enters_ahead() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..2).map(|_| tasks.start("a", 60_000).unwrap()).collect();
    let mut watch = started[1].watch();
    let told = told_after(&mut watch, || drop(tasks.start_with("a", 10, prioritized(1)).unwrap())).await;
    assert_eq!(positions(&started)[1], Some(2));
    assert_eq!(told.and_then(|(place, _)| place.position), Some(2));
}

#[tokio::test(start_paused = true)]
async fn watchers_are_told_of_a_change_to_a_waiting_task_at_once() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..2).map(|_| tasks.start("a", 60_000).unwrap()).collect();
    let (task, mut watch) = (&started[1], started[1].watch());
    let place = |position, priority, held| Some((QueuePlace { position, priority, held }, 0));
    assert_eq!(told_after(&mut watch, || task.pause().unwrap()).await, place(None, 0, true));
    assert_eq!(told_after(&mut watch, || task.set_priority(7).unwrap()).await, place(None, 7, true));
    assert_eq!(told_after(&mut watch, || task.resume().unwrap()).await, place(Some(1), 7, false));
}

// Full queues.

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_a_kind_refuses_a_task_and_says_where_its_limit_is_set() {
    let limited = || Policy { queue_limit: Some(2), ..at_once(1) };
    let tasks = manager([sleeper("a", limited()), sleeper("b", limited())], Settings::default());
    let started: Vec<_> = (0..3).map(|_| tasks.start("a", 10).unwrap()).collect();
    let error = tasks.start_with("a", 10, prioritized(9)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::QueueFull);
    assert_eq!(error.data.as_ref().unwrap().text(), r#"{"limit":2}"#);
    assert!(error.message.contains("task \"a\"") && error.message.contains(".queue_limit(2)"), "{error}");
    assert!(error.message.contains("try again later"), "{error}");
    assert!(tasks.start("b", 10).is_ok(), "another kind has its own queue");
    assert_eq!(tasks.list(&TaskFilter::default().task("a")).len(), 3, "a refused task leaves nothing");
    assert_eq!(begun(&started).await, [0, 10, 20]);
    assert!(tasks.start("a", 10).is_ok(), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_the_app_refuses_a_task_and_says_where_its_limit_is_set() {
    let settings = Settings { concurrency: Some(1), queue_limit: Some(1), ..Settings::default() };
    let tasks = manager(["a", "b"].map(|name| sleeper(name, Policy::default())), settings);
    tasks.start("a", 10).unwrap();
    tasks.start("a", 10).unwrap();
    let error = tasks.start("b", 10).unwrap_err();
    assert_eq!(error.kind, ErrorKind::QueueFull);
    assert_eq!(error.data.as_ref().unwrap().text(), r#"{"limit":1}"#);
    assert!(error.message.contains("of the app"), "{error}");
    assert!(error.message.contains(".queue_limit(1) of the Builder"), "{error}");
    let spawned = tasks.spawn("ad hoc", async |_: TaskContext| Ok::<_, Failure>(()));
    assert_eq!(spawned.status(), TaskStatus::Queued, "a spawned task is never refused");
}

#[tokio::test(start_paused = true)]
async fn with_a_queue_limit_of_zero_a_task_runs_at_once_or_is_refused() {
    let tasks = manager([sleeper("a", Policy { queue_limit: Some(0), ..at_once(1) })], Settings::default());
    let running = tasks.start("a", 10).unwrap();
    assert_eq!(tasks.start("a", 10).unwrap_err().kind, ErrorKind::QueueFull);
    running.outcome().await;
    assert!(tasks.start("a", 10).is_ok());
}

#[tokio::test(start_paused = true)]
async fn held_and_delayed_tasks_count_for_the_queue_limit() {
    let tasks = manager([sleeper("a", Policy { queue_limit: Some(2), ..Policy::default() })], Settings::default());
    tasks.start_with("a", 10, StartOptions::new().held()).unwrap();
    tasks.start_with("a", 10, StartOptions::new().delay(Duration::from_secs(1))).unwrap();
    let error = tasks.start_with("a", 10, StartOptions::new().held()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::QueueFull);
    assert!(tasks.start("a", 10).is_ok(), "it does not wait, so it is not refused");
}

/// Uses real threads: a watcher may learn of an end before the call that made it returns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_free_once_a_watcher_has_learned_of_the_end() {
    let kind = Kind::new(
        "a",
        Policy { queue_limit: Some(0), ..at_once(1) },
        Errors::default(),
        async |_: TaskContext, (): ()| Ok::<_, Failure>(()),
    );
    let tasks = manager([kind], Settings::default());
    let rounds = tokio::spawn(async move {
        for _ in 0..5_000 {
            tasks.start("a", ())?.outcome().await;
        }
        Ok::<_, crate::Error>(())
    });
    rounds.await.unwrap().unwrap();
}

// Limits that change.

#[tokio::test(start_paused = true)]
async fn raising_a_limit_lets_waiting_tasks_run() {
    let tasks = one_by_one();
    let started: Vec<_> = (0..4).map(|_| tasks.start("a", 100).unwrap()).collect();
    sleep(Duration::from_millis(10)).await;
    tasks.set_limit(LimitOf::Task("a".into()), 2).unwrap();
    sleep(Duration::from_millis(10)).await;
    tasks.set_limit(LimitOf::Task("a".into()), None).unwrap();
    assert_eq!(begun(&started).await, [0, 10, 20, 20]);
}

#[tokio::test(start_paused = true)]
async fn lowering_a_limit_stops_no_task_and_none_begins_until_enough_have_ended() {
    let settings = Settings { concurrency: Some(3), ..Settings::default() };
    let tasks = manager([sleeper("a", Policy::default())], settings);
    let started = [100, 200, 300, 10, 10].map(|millis| tasks.start("a", millis).unwrap());
    tasks.set_limit(LimitOf::App, 1).unwrap();
    assert_eq!(begun(&started).await, [0, 0, 0, 300, 310]);
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_of_zero_no_task_runs() {
    let tasks = manager([sleeper("a", at_once(0))], Settings::default());
    let task = tasks.start("a", 10).unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(task.snapshot().queue.unwrap().position, Some(1));
    tasks.set_limit(LimitOf::Task("a".into()), 1).unwrap();
    assert_eq!(begun(&[task]).await, [60_000]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_group_can_be_set_and_changed_at_runtime() {
    let kinds = ["a", "b"].map(|name| sleeper(name, Policy { group: Some("g".into()), ..Policy::default() }));
    let tasks = manager(kinds, Settings::default());
    tasks.set_limit(LimitOf::Group("g".into()), 1).unwrap();
    let started = ["a", "b"].map(|task| tasks.start(task, 10).unwrap());
    assert_eq!(begun(&started).await, [0, 10]);
    tasks.set_limit(LimitOf::Group("g".into()), None).unwrap();
    let started = ["a", "b"].map(|task| tasks.start(task, 10).unwrap());
    assert_eq!(begun(&started).await, [20, 20]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_an_unknown_kind_or_group_can_not_be_changed() {
    let tasks = one_by_one();
    for (of, hint) in
        [(LimitOf::Task("b".into()), "Task::new(\"b\""), (LimitOf::Group("g".into()), "Task::group(\"g\")")]
    {
        let error = tasks.set_limit(of, 1).unwrap_err();
        assert_eq!(error.kind, ErrorKind::UnknownTask);
        assert!(error.message.contains(hint), "{error}");
    }
}

// Leaving the queue.

#[tokio::test(start_paused = true)]
async fn a_cancelled_waiting_task_leaves_the_queue_at_once_and_never_runs() {
    let tasks = manager([sleeper("a", Policy { queue_limit: Some(3), ..at_once(1) })], Settings::default());
    let started: Vec<_> = (0..4).map(|_| tasks.start("a", 10).unwrap()).collect();
    started[2].pause().unwrap();
    for task in &started[1..3] {
        task.cancel().unwrap();
        assert_eq!(task.status(), TaskStatus::Cancelled, "it ends before anything else happens");
        assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
    }
    assert_eq!(positions(&started), [None, None, None, Some(1)]);
    for _ in 0..2 {
        tasks.start("a", 10).unwrap();
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(begun(&started[3..]).await.len(), 1);
    assert!(started[1..3].iter().all(|task| task.snapshot().started_at.is_none()));
}
