//! Batches: many tasks of one kind, started as one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{advance, sleep},
};

use super::manager;
use crate::{
    Backoff, BatchHandle, BatchOptions, CancelReason, Error, ErrorKind, Failure, Json, Outcome, Retention, Retry,
    TaskChange, TaskContext, TaskFilter, TaskHandle, TaskId, TaskManager, TaskStatus, Unit,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors, start::StartBatch},
    task::owner::Owner,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The input of a member, which loads this many bytes, one per second, and fails at `fails_at`.
#[derive(Serialize, Deserialize)]
struct Load {
    bytes: u64,
    fails_at: Option<u64>,
}

const fn load(bytes: u64) -> Load {
    Load { bytes, fails_at: None }
}

fn loader(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |ctx: TaskContext, Load { bytes, fails_at }: Load| {
        ctx.progress().unit(Unit::Bytes).total(bytes);
        for byte in 0..bytes {
            sleep(secs(1)).await;
            if fails_at == Some(byte) {
                return Err(Failure::new("no route"));
            }
            ctx.progress().inc(1);
        }
        Ok(bytes)
    })
}

fn loads(policy: Policy) -> TaskManager {
    manager([loader("load", policy)], Settings::default())
}

fn start(tasks: &TaskManager, bytes: impl IntoIterator<Item = u64>, options: BatchOptions) -> BatchHandle {
    tasks.batch("load", bytes.into_iter().map(load), options).unwrap()
}

async fn outcomes(batch: &BatchHandle) -> Vec<Outcome> {
    batch.outcome().await.output().unwrap().unwrap()
}

fn begun(batch: &BatchHandle) -> Vec<Option<u64>> {
    batch.members().iter().map(|member| member.snapshot().started_at).collect()
}

fn statuses(batch: &BatchHandle) -> Vec<TaskStatus> {
    batch.members().iter().map(TaskHandle::status).collect()
}

fn is_cancelled(outcome: &Outcome, why: CancelReason) -> bool {
    matches!(outcome, Outcome::Cancelled { reason } if *reason == why)
}

// Outcomes.

#[tokio::test(start_paused = true)]
async fn outcomes_are_in_the_order_of_the_inputs_however_each_member_ended() {
    let tasks = loads(Policy { timeout: Some(secs(60)), ..Policy::default() });
    let failing = Load { bytes: 9, fails_at: Some(0) };
    let batch = tasks.batch("load", [load(3), failing, load(1), load(99), load(50)], BatchOptions::new()).unwrap();
    sleep(secs(10)).await;
    batch.members()[4].cancel().unwrap();
    let [slow, failed, quick, timed_out, cancelled] = &outcomes(&batch).await[..] else { panic!() };
    assert_eq!((slow.output::<u64>().unwrap(), quick.output::<u64>().unwrap()), (Some(3), Some(1)));
    assert!(matches!(failed, Outcome::Failed(failure) if failure.message == "no route"));
    assert!(matches!(timed_out, Outcome::TimedOut { .. }));
    assert!(is_cancelled(cancelled, CancelReason::User));
    assert_eq!(
        (batch.status(), batch.snapshot().ended_at),
        (TaskStatus::Completed, Some(60_000)),
        "it ends with its last member"
    );
}

#[tokio::test(start_paused = true)]
async fn outcomes_serialize_like_those_of_promise_all_settled() {
    let tasks = loads(Policy::default());
    let failing = Load { bytes: 1, fails_at: Some(0) };
    let batch = tasks.batch("load", [load(1), failing], BatchOptions::new()).unwrap();
    let output = batch.outcome().await.output::<serde_json::Value>().unwrap().unwrap();
    assert_eq!(output[0], serde_json::json!({ "status": "completed", "data": { "output": 1 } }));
    assert_eq!((&output[1]["status"], &output[1]["data"]["kind"]), (&"failed".into(), &"error".into()));
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_completes_at_once() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [], BatchOptions::new().concurrency(4));
    assert_eq!(outcomes(&batch).await, []);
    let snapshot = batch.snapshot();
    assert_eq!((snapshot.members, snapshot.progress.fraction), (Some(0), Some(1.0)));
    // Its limit must not be left for the next batch.
    assert_eq!(begun(&start(&tasks, [1; 6], BatchOptions::new())), [None; 6]);
}

// Progress.

#[tokio::test(start_paused = true)]
async fn the_progress_is_the_sum_of_the_members_once_all_totals_are_known() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [2, 6], BatchOptions::new().concurrency(1));
    sleep(Duration::from_millis(1_500)).await;
    let bar = batch.snapshot().progress;
    assert_eq!((bar.completed, bar.total, bar.fraction), (1, None, Some(0.25)), "no total before all are known");
    sleep(secs(2)).await;
    let bar = batch.snapshot().progress;
    assert_eq!((bar.completed, bar.total, bar.fraction, bar.unit), (3, Some(8), Some(0.375), Unit::Bytes));
    batch.outcome().await;
    let bar = batch.snapshot().progress;
    assert_eq!((bar.completed, bar.total, bar.fraction, bar.unit), (8, Some(8), Some(1.0), Unit::Bytes));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_of_a_batch_sees_its_progress_grow_to_the_end() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [3, 3], BatchOptions::new());
    let mut watch = batch.watch();
    let mut completed = Vec::new();
    let mut statuses = Vec::new();
    while let Some(event) = watch.next().await {
        match event.change {
            TaskChange::Progress(progress) => completed.push(progress.completed),
            TaskChange::Status(change) => statuses.push(change.status),
            other => panic!("{other:?}"),
        }
    }
    completed.dedup();
    assert_eq!((completed, statuses), (vec![0, 2, 4, 6], vec![TaskStatus::Completed]), "it runs from the start");
}

#[tokio::test(start_paused = true)]
async fn the_progress_falls_when_a_member_is_retried() {
    let policy =
        Policy { retry: Some(Retry::attempts(2).backoff(Backoff::exponential().jitter(false))), ..Policy::default() };
    let tasks = loads(policy);
    let batch = tasks.batch("load", [Load { bytes: 4, fails_at: Some(2) }], BatchOptions::new()).unwrap();
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(batch.snapshot().progress.completed, 2);
    sleep(secs(2)).await;
    assert_eq!((batch.snapshot().progress.completed, batch.members()[0].snapshot().attempt), (0, 2));
}

// Members.

#[tokio::test(start_paused = true)]
async fn members_are_ordinary_tasks_with_a_parent() {
    let tasks = loads(Policy::default());
    let options = BatchOptions::new().label("Pictures").tag("holiday").priority(3).concurrency(0);
    let batch = start(&tasks, [1, 2], options);
    let snapshot = batch.snapshot();
    assert_eq!((snapshot.members, snapshot.label.as_deref(), snapshot.parent), (Some(2), Some("Pictures"), None));
    let members = tasks.list(&TaskFilter::default().parent(batch.id()));
    assert_eq!(
        members.iter().map(|member| member.id).collect::<Vec<_>>(),
        batch.members().iter().map(TaskHandle::id).collect::<Vec<_>>()
    );
    for (member, position) in members.iter().zip([1, 2]) {
        assert_eq!((member.task.as_str(), member.parent), ("load", Some(batch.id())));
        assert_eq!((&member.tags, &member.label), (&snapshot.tags, &None));
        let tags = |id| tasks.engine.find(id).unwrap().options().tags;
        assert!(Arc::ptr_eq(&tags(member.id), &tags(batch.id())), "ten thousand members share them");
        let place = member.queue.unwrap();
        assert_eq!((place.position, place.priority), (Some(position), 3), "the place is in its batch");
    }
    assert_eq!(tasks.list(&TaskFilter::default().tag("holiday")).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_can_limit_its_members_within_the_other_limits() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [1; 5], BatchOptions::new().concurrency(2));
    let beside = start(&tasks, [1; 2], BatchOptions::new());
    batch.outcome().await;
    assert_eq!(begun(&batch), [0, 0, 1_000, 1_000, 2_000].map(Some));
    assert_eq!(begun(&beside), [Some(0); 2], "the limit of one batch is not for another");

    let tasks = loads(Policy { concurrency: Some(1), ..Policy::default() });
    let batch = start(&tasks, [1; 3], BatchOptions::new().concurrency(2));
    batch.outcome().await;
    assert_eq!(begun(&batch), [0, 1_000, 2_000].map(Some));
}

#[tokio::test(start_paused = true)]
async fn a_batch_itself_takes_no_slot() {
    let settings = Settings { concurrency: Some(1), ..Settings::default() };
    let tasks = manager([loader("load", Policy { concurrency: Some(1), ..Policy::default() })], settings);
    let batch = start(&tasks, [1, 1], BatchOptions::new());
    sleep(Duration::from_millis(500)).await;
    assert_eq!((batch.status(), batch.snapshot().queue), (TaskStatus::Running, None));
    assert_eq!(outcomes(&batch).await.len(), 2);
    assert_eq!(batch.snapshot().ended_at, Some(2_000));
}

#[tokio::test(start_paused = true)]
async fn members_wait_for_the_delay_of_their_kind() {
    let tasks = loads(Policy { delay: Some(secs(30)), ..Policy::default() });
    let batch = start(&tasks, [1, 1], BatchOptions::new());
    let snapshot = batch.members()[0].snapshot();
    assert_eq!((snapshot.next_attempt_at, snapshot.queue.unwrap().position), (Some(30_000), None));
    batch.outcome().await;
    assert_eq!(begun(&batch), [Some(30_000); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_member_can_be_paused_prioritized_and_resumed_like_any_task() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [1; 4], BatchOptions::new().concurrency(1));
    let members = batch.members();
    members[1].pause().unwrap();
    assert_eq!(batch.pause().unwrap_err().kind, ErrorKind::NotPausable, "the batch itself is in no queue");
    members[3].set_priority(1).unwrap();
    sleep(Duration::from_millis(3_500)).await;
    members[1].resume().unwrap();
    batch.outcome().await;
    assert_eq!(begun(&batch), [0, 3_500, 2_000, 1_000].map(Some));
}

// Cancelling.

#[tokio::test(start_paused = true)]
async fn cancelling_a_batch_cancels_all_its_members() {
    use TaskStatus::{Cancelled, Completed, Queued, Retrying, Running};
    let policy = Policy { retry: Some(Retry::attempts(2).backoff(Backoff::constant(secs(60)))), ..Policy::default() };
    let tasks = loads(policy);
    let failing = Load { bytes: 9, fails_at: Some(0) };
    let options = BatchOptions::new().concurrency(1);
    let batch = tasks.batch("load", [load(1), failing, load(9), load(9)], options).unwrap();
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(statuses(&batch), [Completed, Retrying, Running, Queued]);
    tasks.cancel_with(batch.id(), "no more").unwrap();
    assert!(is_cancelled(&batch.outcome().await, CancelReason::Other("no more".into())));
    assert_eq!(batch.snapshot().ended_at, Some(2_500));
    assert_eq!(statuses(&batch), [Completed, Cancelled, Cancelled, Cancelled]);
    for member in &batch.members()[1..] {
        assert_eq!(member.snapshot().cancel_reason, Some(CancelReason::Parent));
    }
    assert_eq!(begun(&batch)[3], None, "no member gets the slot that another leaves");
}

#[tokio::test(start_paused = true)]
async fn cancelling_one_member_leaves_the_others_running() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [5; 3], BatchOptions::new());
    sleep(secs(1)).await;
    batch.members()[1].cancel().unwrap();
    let outcomes = outcomes(&batch).await;
    assert!(is_cancelled(&outcomes[1], CancelReason::User));
    assert_eq!([&outcomes[0], &outcomes[2]].map(|one| one.output::<u64>().unwrap()), [Some(5); 2]);
}

#[tokio::test(start_paused = true)]
async fn cancel_all_counts_the_batch_and_its_live_members() {
    for wanted in [TaskFilter::default().task("load"), TaskFilter::default().tag("t")] {
        let tasks = loads(Policy::default());
        let batch = start(&tasks, [1, 9, 9, 9], BatchOptions::new().concurrency(1).tag("t"));
        sleep(Duration::from_millis(1_500)).await;
        assert_eq!(tasks.cancel_all(&wanted), 4, "three members and the batch");
        assert!(is_cancelled(&batch.outcome().await, CancelReason::User));
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_all_by_parent_cancels_only_the_members_of_that_batch() {
    let tasks = loads(Policy::default());
    let (batch, other) = (start(&tasks, [9; 3], BatchOptions::new()), start(&tasks, [9], BatchOptions::new()));
    sleep(secs(1)).await;
    assert_eq!(tasks.cancel_all(&TaskFilter::default().parent(batch.id())), 3);
    assert_eq!(outcomes(&batch).await.len(), 3, "the batch itself was not cancelled");
    assert_eq!(outcomes(&other).await[0].output::<u64>().unwrap(), Some(9));
}

/// Uses real threads: members leave their slots before the others are told to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_batch_begins_no_waiting_member() {
    let (called, four) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, fourth) = (Arc::clone(&called), Arc::clone(&four));
    let kind = Kind::new("load", Policy::default(), Errors::default(), move |_: TaskContext, _: u64| {
        if counted.fetch_add(1, SeqCst) == 3 {
            fourth.notify_one();
        }
        std::future::pending::<Result<(), Failure>>()
    });
    let tasks = manager([kind], Settings::default());
    let batch = tasks.batch("load", 0..3_000_u64, BatchOptions::new().concurrency(4)).unwrap();
    four.notified().await;
    batch.cancel().unwrap();
    let outcome = batch.outcome().await;
    assert!(is_cancelled(&outcome, CancelReason::User), "{outcome:.200?}");
    assert_eq!(called.load(SeqCst), 4, "members that should have been cancelled began");
}

#[tokio::test(start_paused = true)]
async fn a_batch_ends_after_its_last_member_even_if_that_is_overdue() {
    let (open, gate) = mpsc::channel::<()>();
    let (gate, begun) = (Mutex::new(Some(gate)), Arc::new(Notify::new()));
    let begins = Arc::clone(&begun);
    let kind = Kind::new("load", Policy::default(), Errors::default(), move |ctx: TaskContext, _: u64| {
        let (gate, begins) = (gate.lock().take(), Arc::clone(&begins));
        async move {
            ctx.spawn_blocking(move |_| {
                begins.notify_one();
                gate.map(|gate| gate.recv().is_ok())
            })
            .await;
            Ok::<_, Failure>(())
        }
    });
    let tasks = manager([kind], Settings::default());
    let batch = tasks.batch("load", [1_u64], BatchOptions::new()).unwrap();
    begun.notified().await;
    batch.cancel().unwrap();
    // While a thread is blocked, paused time advances only by `advance`.
    yield_now().await;
    advance(secs(6)).await;
    let mut watch = batch.watch();
    while !batch.snapshot().overdue {
        watch.next().await.unwrap();
    }
    advance(secs(60)).await;
    assert_eq!((batch.status(), statuses(&batch)[0]), (TaskStatus::Cancelling, TaskStatus::Cancelling));
    drop(open);
    assert!(is_cancelled(&batch.outcome().await, CancelReason::User));
    assert_eq!(statuses(&batch), [TaskStatus::Cancelled]);
}

// Refused as a whole.

fn refused(tasks: &TaskManager, error: &Error, kind: ErrorKind) {
    assert_eq!(error.kind, kind, "{error}");
    assert_eq!(tasks.list(&TaskFilter::default()), [], "nothing was started");
    assert_eq!(tasks.counts()[0].queued, 0);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_input_refuses_the_batch_and_the_error_names_it() {
    let tasks = loads(Policy::default());
    let good = serde_json::json!({ "bytes": 1, "fails_at": null });
    for (bad, path) in
        [(serde_json::json!({ "bytes": "many", "fails_at": null }), "[3].bytes"), (serde_json::json!(7), "[3]")]
    {
        let inputs = [good.clone(), good.clone(), good.clone(), bad, good.clone()];
        let error = tasks.batch("load", inputs, BatchOptions::new()).unwrap_err();
        refused(&tasks, &error, ErrorKind::InvalidInput);
        assert_eq!(error.data.as_ref().unwrap().read::<serde_json::Value>().unwrap()["path"], path);
        assert!(error.message.contains(&format!("{path}: invalid type")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_room_for_all_members_refuses_the_batch() {
    let tasks = loads(Policy { concurrency: Some(1), queue_limit: Some(2), ..Policy::default() });
    let error = tasks.batch("load", [1, 1, 1, 1].map(load), BatchOptions::new()).unwrap_err();
    refused(&tasks, &error, ErrorKind::QueueFull);
    assert_eq!(error.data.as_ref().unwrap().text(), r#"{"limit":2}"#);
    let batch = start(&tasks, [1; 3], BatchOptions::new());
    assert_eq!(outcomes(&batch).await.len(), 3, "three fit");
    assert_eq!(
        tasks.batch("load", [1, 1, 1].map(load), BatchOptions::new().concurrency(0)).unwrap_err().kind,
        ErrorKind::QueueFull
    );
}

#[tokio::test(start_paused = true)]
async fn the_error_for_an_empty_queue_does_not_say_that_tasks_wait() {
    let tasks = loads(Policy { concurrency: Some(1), queue_limit: Some(2), ..Policy::default() });
    let error = tasks.batch("load", [1, 1, 1, 1].map(load), BatchOptions::new()).unwrap_err();
    assert!(!error.message.contains("2 tasks wait already"), "no task waits: {error}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_or_invalid_options_refuse_the_batch() {
    let tasks = loads(Policy::default());
    let error = tasks.batch("nope", [load(1)], BatchOptions::new()).unwrap_err();
    refused(&tasks, &error, ErrorKind::UnknownTask);
    let error = tasks.batch("load", [load(1)], BatchOptions::new().tag("x".repeat(1_025))).unwrap_err();
    refused(&tasks, &error, ErrorKind::InvalidOptions);
}

// What is kept.

#[tokio::test(start_paused = true)]
async fn members_are_kept_until_their_batch_has_ended() {
    let none = Retention::default().count(0).age(Duration::ZERO);
    let tasks = manager([loader("load", Policy::default())], Settings { retention: none, ..Settings::default() });
    let batch = start(&tasks, [1, 1, 100], BatchOptions::new());
    sleep(secs(90)).await;
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 4);
    assert_eq!(batch.members()[0].outcome().await.output::<u64>().unwrap(), Some(1));
    assert_eq!(outcomes(&batch).await.len(), 3);
    assert_eq!(tasks.list(&TaskFilter::default()), [], "they are kept no longer");
}

#[tokio::test(start_paused = true)]
async fn a_removed_member_is_still_in_the_outcomes() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [1, 9], BatchOptions::new());
    sleep(secs(5)).await;
    tasks.remove(batch.members()[0].id()).unwrap();
    assert_eq!(batch.members().len(), 1);
    assert_eq!(outcomes(&batch).await[0].output::<u64>().unwrap(), Some(1));
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_ended_batch_leaves_no_slot_place_or_limit_behind() {
    use TaskStatus::{Queued, Running};
    let tasks = loads(Policy { concurrency: Some(2), queue_limit: Some(9), ..Policy::default() });
    let one = || BatchOptions::new().concurrency(1);
    let (done, cancelled) = (start(&tasks, [1; 5], one()), start(&tasks, [1; 5], one()));
    let too_many = tasks.batch("load", (0..99).map(load), one());
    assert_eq!(too_many.unwrap_err().kind, ErrorKind::QueueFull);
    start(&tasks, [], one().concurrency(0)).cancel().unwrap();
    sleep(Duration::from_millis(100)).await;
    cancelled.cancel().unwrap();
    for batch in [done, cancelled] {
        batch.outcome().await;
        assert_eq!(batch.cancel().unwrap_err().kind, ErrorKind::AlreadyEnded);
    }
    let next = start(&tasks, [10; 11], BatchOptions::new());
    sleep(secs(1)).await;
    assert_eq!(statuses(&next), [&[Running; 2][..], &[Queued; 9]].concat(), "as many as may run and wait");
    assert_eq!(tasks.start("load", load(1)).unwrap_err().kind, ErrorKind::QueueFull);
}

#[tokio::test(start_paused = true)]
async fn the_progress_changes_when_a_member_ends() {
    let tasks = loads(Policy::default());
    let batch = start(&tasks, [0, 3_600, 3_600], BatchOptions::new().concurrency(1));
    // The second one reports after a second, and the third one waits.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(batch.snapshot().progress.fraction, Some(1.0 / 3.0));
}

/// The members keep them as they came, and the batch a digest that tells a repeated start.
#[tokio::test]
async fn a_batch_keeps_each_input_once() {
    let tasks = loads(Policy::default());
    let long =
        |number: u64| Json::from(serde_json::json!({ "bytes": number, "fails_at": null, "note": "x".repeat(100_000) }));
    let inputs: Vec<_> = (0..10).map(long).collect();
    let addresses: Vec<_> = inputs.iter().map(Json::address).collect();
    let id = TaskId::new();
    let options = BatchOptions::default();
    let start = StartBatch { id, task: "load", inputs: inputs.clone(), owner: Owner::App, options: options.clone() };
    let batch = tasks.engine.start_batch(start).unwrap();
    let members = batch.record().members.clone().unwrap();
    let kept: Vec<_> = members.iter().map(|id| tasks.engine.find(*id).unwrap().input.address()).collect();
    assert_eq!(kept, addresses, "they are not copied");
    assert!(batch.record().input.len() <= 20, "{}", batch.record().input.text());
    assert_eq!(batch.record().kept_bytes(), 0);

    let start = |inputs| StartBatch { id, task: "load", inputs, owner: Owner::App, options: options.clone() };
    let repeated = tasks.engine.start_batch(start(inputs.iter().map(Json::unshared).collect())).unwrap();
    assert_eq!(repeated.record().id, id);
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 11, "the repeat starts nothing");
    let others = inputs[1..].iter().chain(&inputs[..1]).cloned().collect();
    assert_eq!(tasks.engine.start_batch(start(others)).err().unwrap().kind, ErrorKind::InvalidId);
}
