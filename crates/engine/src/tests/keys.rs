//! Keys, tags, and the filters that find tasks by them.

use std::{cell::RefCell, time::Duration};

use tokio::time::sleep;

use super::manager;
use crate::{
    Backoff, CancelReason, ErrorKind, Failure, Json, OnConflict, Outcome, Retry, StartOptions, TaskContext, TaskFilter,
    TaskHandle, TaskId, TaskManager, TaskStatus,
    policy::Policy,
    record::{Kind, Record},
    run::{engine::Settings, handler::Errors, start::Start},
    task::owner::Owner,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A kind whose tasks take as many seconds as their input says, and two more when they are cancelled.
fn lingering(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |ctx: TaskContext, seconds: u64| {
        tokio::select! {
            () = ctx.cancelled() => {
                sleep(secs(2)).await;
                Err(Failure::new("stopped"))
            }
            () = sleep(secs(seconds)) => Ok(()),
        }
    })
}

fn tasks() -> TaskManager {
    manager(["a", "b"].map(|name| lingering(name, Policy::default())), Settings::default())
}

fn key(on_conflict: OnConflict) -> StartOptions {
    StartOptions::new().key("k", on_conflict)
}

/// Starts a task that takes ten seconds.
fn start(tasks: &TaskManager, on_conflict: OnConflict) -> TaskHandle {
    tasks.start_with("a", 10, key(on_conflict)).unwrap()
}

async fn began(task: &TaskHandle) -> u64 {
    task.outcome().await;
    task.snapshot().started_at.unwrap()
}

fn ids(tasks: &[TaskHandle]) -> Vec<TaskId> {
    tasks.iter().map(TaskHandle::id).collect()
}

fn is_replaced(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Cancelled { reason: CancelReason::Replaced })
}

// On conflict.

/// A debug build panics if a thread takes the registry's lock twice.
#[tokio::test(start_paused = true)]
async fn the_tasks_that_another_would_replace_are_looked_at_under_no_lock() {
    let tasks = tasks();
    let started: Vec<_> = (0..3).map(|_| start(&tasks, OnConflict::Append).id()).collect();
    sleep(secs(1)).await;
    let looked_at = RefCell::new(vec![]);
    let replace = |hidden: Option<TaskId>| {
        let sees = |record: &Record| {
            looked_at.borrow_mut().push(tasks.engine.find(record.id).unwrap().id);
            Some(record.id) != hidden
        };
        let (id, input, options) = (TaskId::new(), Json::new(&10).unwrap(), key(OnConflict::Replace));
        tasks.engine.start(Start { id, task: "a", input, owner: Owner::App, options, sees: &sees }).map(drop)
    };
    assert_eq!(replace(Some(started[2])).unwrap_err().kind, ErrorKind::KeyTaken);
    assert!(looked_at.borrow().starts_with(&started));
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 3);
    replace(None).unwrap();
    let left = tasks.list(&TaskFilter::default());
    assert_eq!(left.iter().filter(|task| !task.status.is_final()).count(), 2, "the first lingers");
}

#[tokio::test(start_paused = true)]
async fn a_taken_key_is_refused_with_the_id_of_its_task_and_the_alternatives() {
    let tasks = tasks();
    let live = start(&tasks, OnConflict::Refuse);
    let error = tasks.start_with("a", 10, key(OnConflict::Refuse)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::KeyTaken);
    assert_eq!(error.data.as_ref().unwrap().text(), format!(r#"{{"id":"{}"}}"#, live.id()));
    for word in ["\"k\"", "\"a\"", "\"join\"", "\"replace\"", "\"append\""] {
        assert!(error.message.contains(word), "{word}: {error}");
    }
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 1, "nothing new was started");
}

#[tokio::test(start_paused = true)]
async fn a_start_can_join_the_live_task() {
    let tasks = tasks();
    let live = start(&tasks, OnConflict::Join);
    let joined = tasks.start_with("a", 99, key(OnConflict::Join).priority(5)).unwrap();
    assert_eq!(joined.id(), live.id());
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 1);
    assert_eq!(began(&joined).await, 0);
    let next = start(&tasks, OnConflict::Join);
    assert_ne!(next.id(), live.id(), "an ended task is not joined");
}

#[tokio::test(start_paused = true)]
async fn a_start_can_replace_the_live_task_and_runs_once_that_has_ended() {
    let tasks = tasks();
    let old = start(&tasks, OnConflict::Refuse);
    sleep(secs(1)).await;
    let new = start(&tasks, OnConflict::Replace);
    assert_eq!((old.status(), new.status()), (TaskStatus::Cancelling, TaskStatus::Queued));
    assert_eq!(old.snapshot().cancel_reason, Some(CancelReason::Replaced));
    assert_eq!(new.snapshot().queue.unwrap().position, None, "it has no position before its turn");
    assert!(is_replaced(&old.outcome().await));
    assert_eq!(began(&new).await, 3_000, "the old one took two seconds to stop");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_task_is_replaced_at_once() {
    let tasks = tasks();
    let old = tasks.start_with("a", 10, key(OnConflict::Refuse).held()).unwrap();
    let new = start(&tasks, OnConflict::Replace);
    assert_eq!(old.status(), TaskStatus::Cancelled);
    assert_eq!(began(&new).await, 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_of_many_replacements_runs() {
    let tasks = tasks();
    let started: Vec<_> = (0..5).map(|_| start(&tasks, OnConflict::Replace)).collect();
    assert_eq!(began(&started[4]).await, 0, "the first had not begun, so it need not wait");
    for replaced in &started[..4] {
        assert!(is_replaced(&replaced.outcome().await));
        assert_eq!(replaced.snapshot().started_at, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_replaces_appended_tasks_too() {
    let tasks = tasks();
    let old: Vec<_> = (0..3).map(|_| start(&tasks, OnConflict::Append)).collect();
    sleep(secs(1)).await;
    let new = start(&tasks, OnConflict::Replace);
    assert_eq!(began(&new).await, 3_000);
    for old in old {
        assert!(is_replaced(&old.outcome().await));
    }
}

#[tokio::test(start_paused = true)]
async fn an_appended_start_runs_after_the_live_task_however_that_ends() {
    let fails = Kind::new("a", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
        sleep(secs(10)).await;
        Err::<(), _>(Failure::new("no"))
    });
    let tasks = manager([fails], Settings::default());
    let started: Vec<_> = (0..3).map(|_| tasks.start_with("a", (), key(OnConflict::Append)).unwrap()).collect();
    sleep(secs(1)).await;
    started[0].cancel().unwrap();
    assert_eq!((began(&started[1]).await, began(&started[2]).await), (1_000, 11_000), "one after the other");
}

#[tokio::test(start_paused = true)]
async fn appended_tasks_run_in_order_when_one_of_them_is_cancelled() {
    let tasks = tasks();
    let started: Vec<_> = (0..4).map(|_| start(&tasks, OnConflict::Append)).collect();
    started[1].cancel().unwrap();
    // Priorities don't change the order of the tasks with a key.
    started[3].set_priority(9).unwrap();
    assert_eq!((began(&started[2]).await, began(&started[3]).await), (10_000, 20_000));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_task_still_waits_for_the_earlier_one_with_its_key() {
    let tasks = tasks();
    let first = start(&tasks, OnConflict::Append);
    let second = tasks.start_with("a", 10, key(OnConflict::Append).held()).unwrap();
    second.resume().unwrap();
    sleep(secs(5)).await;
    assert_eq!((first.status(), second.status()), (TaskStatus::Running, TaskStatus::Queued));
    assert_eq!(began(&second).await, 10_000);
}

// Who has a key.

#[tokio::test(start_paused = true)]
async fn tasks_with_different_kinds_or_keys_do_not_conflict() {
    let tasks = tasks();
    let started = [("a", "k"), ("b", "k"), ("a", "l")]
        .map(|(task, key)| tasks.start_with(task, 10, StartOptions::new().key(key, OnConflict::Refuse)).unwrap());
    for task in &started {
        assert_eq!(began(task).await, 0);
    }
    assert_eq!(started[0].snapshot().key.as_deref(), Some("k"));
}

#[tokio::test(start_paused = true)]
async fn a_task_has_its_key_until_it_has_ended() {
    let retry = Some(Retry::attempts(2).backoff(Backoff::constant(secs(60))));
    let fails =
        Kind::new("a", Policy { retry, ..Policy::default() }, Errors::default(), async |_: TaskContext, (): ()| {
            Err::<(), _>(Failure::new("no"))
        });
    let tasks = manager([fails, lingering("b", Policy::default())], Settings::default());
    let refused = |task, input: serde_json::Value| {
        let error = tasks.start_with(task, input, key(OnConflict::Refuse)).unwrap_err();
        error.kind == ErrorKind::KeyTaken
    };
    let retrying = tasks.start_with("a", (), key(OnConflict::Refuse)).unwrap();
    sleep(secs(1)).await;
    assert_eq!(retrying.status(), TaskStatus::Retrying);
    assert!(refused("a", ().into()));

    let held = tasks.start_with("b", 10, key(OnConflict::Refuse).held()).unwrap();
    assert!(refused("b", 10.into()));
    held.resume().unwrap();
    sleep(secs(1)).await;
    held.cancel().unwrap();
    assert_eq!(held.status(), TaskStatus::Cancelling);
    assert!(refused("b", 10.into()));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_free_again_after_any_end() {
    use TaskStatus::{Cancelled, Completed, Failed, TimedOut};
    let policy = Policy { timeout: Some(secs(5)), grace: Duration::ZERO, ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |_: TaskContext, how: u8| match how {
        0 => Ok(()),
        1 => Err(Failure::new("no")),
        2 => panic!("as told"),
        _ => std::future::pending().await,
    });
    let tasks = manager([kind], Settings::default());
    for (how, end) in [(0, Completed), (1, Failed), (2, Failed), (3, TimedOut), (4, Cancelled)] {
        let task = tasks.start_with("a", how, key(OnConflict::Refuse)).unwrap();
        if end == Cancelled {
            task.cancel().unwrap();
        }
        task.outcome().await;
        assert_eq!(task.status(), end);
    }
}

/// Uses real threads: a watcher may learn of an end before the call that made it returns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_free_once_a_watcher_has_learned_of_the_end() {
    let kind =
        Kind::new("a", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(()));
    let tasks = manager([kind], Settings::default());
    let again = tokio::spawn(async move {
        let mut last = tasks.start_with("a", (), key(OnConflict::Refuse))?;
        for round in 0..5_000 {
            let mut watch = last.watch();
            while !last.status().is_final() {
                watch.next().await;
            }
            let on_conflict = if round % 2 == 0 { OnConflict::Refuse } else { OnConflict::Join };
            let next = tasks.start_with("a", (), key(on_conflict))?;
            assert_ne!(next.id(), last.id(), "it joined a task that had ended");
            last = next;
        }
        Ok::<_, crate::Error>(())
    });
    again.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_a_replacement_and_keeps_the_live_task() {
    let policy = Policy { queue_limit: Some(0), ..Policy::default() };
    let tasks = manager([lingering("a", policy)], Settings::default());
    let live = start(&tasks, OnConflict::Refuse);
    sleep(secs(1)).await;
    let error = tasks.start_with("a", 10, key(OnConflict::Replace)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::QueueFull);
    assert_eq!(live.status(), TaskStatus::Running);
    live.outcome().await;
    assert_eq!(began(&start(&tasks, OnConflict::Replace)).await, 10_000, "the refused task does not take the key");
}

#[tokio::test(start_paused = true)]
async fn a_replacement_takes_the_place_of_the_waiting_task_in_a_full_queue() {
    let policy = Policy { concurrency: Some(1), queue_limit: Some(1), ..Policy::default() };
    let tasks = manager([lingering("a", policy)], Settings::default());
    tasks.start("a", 10).unwrap();
    let waiting = start(&tasks, OnConflict::Refuse);
    let replaced = tasks.start_with("a", 10, key(OnConflict::Replace));
    assert!(replaced.is_ok(), "as many wait as before: {}", replaced.unwrap_err());
    assert_eq!(waiting.status(), TaskStatus::Cancelled);
}

// Finding tasks.

#[tokio::test(start_paused = true)]
async fn tasks_are_listed_by_kind_tag_status_and_key() {
    let tasks = tasks();
    let tagged =
        |tags: &[&str]| tags.iter().fold(StartOptions::new().label("Nightly"), |options, tag| options.tag(*tag));
    let first = tasks.start_with("a", 10, tagged(&["night", "sync"])).unwrap();
    let second = tasks.start_with("b", 10, tagged(&["sync"]).held()).unwrap();
    let third = tasks.start_with("a", 10, key(OnConflict::Refuse)).unwrap();
    sleep(secs(1)).await;
    let list = |filter: TaskFilter| tasks.list(&filter).into_iter().map(|task| task.id).collect::<Vec<_>>();
    let all = ids(&[first, second, third]);
    let any = TaskFilter::default;
    assert_eq!(list(any().task("a")), [all[0], all[2]]);
    assert_eq!(list(any().tag("sync")), [all[0], all[1]]);
    assert_eq!(list(any().tag("night").tag("day")), [all[0]]);
    assert_eq!(list(any().status(TaskStatus::Queued)), [all[1]]);
    assert_eq!(list(any().key("k")), [all[2]]);
    assert_eq!(list(any().task("a").tag("sync").status(TaskStatus::Running)), [all[0]]);
    assert_eq!(list(any().tag("other")), []);
    let snapshot = tasks.get(all[0]).unwrap();
    assert_eq!((snapshot.label.as_deref(), snapshot.tags), (Some("Nightly"), vec!["night".into(), "sync".into()]));
}

#[tokio::test(start_paused = true)]
async fn tasks_are_cancelled_by_kind_tag_status_and_key() {
    let any = TaskFilter::default;
    let filters = [any().task("b"), any().tag("t"), any().status(TaskStatus::Queued), any().key("k")];
    for (which, filter) in filters.into_iter().enumerate() {
        let tasks = tasks();
        let started = [
            tasks.start("b", 10).unwrap(),
            tasks.start_with("a", 10, StartOptions::new().tag("t")).unwrap(),
            tasks.start_with("a", 10, StartOptions::new().held()).unwrap(),
            tasks.start_with("a", 10, key(OnConflict::Refuse)).unwrap(),
        ];
        sleep(secs(1)).await;
        assert_eq!(tasks.cancel_all_with(&filter, "shutdown").unwrap_err().kind, ErrorKind::InvalidOptions);
        assert_eq!(tasks.cancel_all_with(&filter, "the disk is full").unwrap(), 1);
        let told: Vec<_> = started.iter().map(|task| task.snapshot().cancel_reason.is_some()).collect();
        assert_eq!(told, [0, 1, 2, 3].map(|index| index == which), "{filter:?}");
        assert_eq!(started[which].snapshot().cancel_reason, Some(CancelReason::Other("the disk is full".into())));
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_all_does_not_count_ended_tasks() {
    let tasks = tasks();
    tasks.start("a", 1).unwrap().outcome().await;
    let started: Vec<_> = (0..3).map(|_| tasks.start("a", 10).unwrap()).collect();
    assert_eq!(tasks.cancel_all(&TaskFilter::default()), 3);
    for task in started {
        task.outcome().await;
    }
    assert_eq!(tasks.cancel_all(&TaskFilter::default()), 0);
}
