//! Typed keys: what a caller gets who names a kind by a key, and who names it by its name.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks_engine::{
    BatchHandle, BatchOf, BatchOptions, Bytes, CancelReason, ErrorKind, Failure, FitsHandler, HandleOf, Json, LimitOf,
    Never, OnConflict, Schedule, StartOptions, TakesInput, TaskBytes, TaskChange, TaskContext, TaskError, TaskFilter,
    TaskHandle, TaskId, TaskItems, TaskKey, TaskManager, TaskName, TaskStatus, TaskWatch, TimeLimit,
    delivery::{Clocks, Errors, Kind, Kinds, Policy, Runtimes, Settings, manager},
};
use tokio::{runtime::Handle, time::sleep};

/// What the handler is told to do. It is only written here and only read by the handler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Order {
    Count(u32),
    Refuse,
    Panic,
    Hang,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Stage {
    Begins,
    Ends { after: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum CountError {
    Refused { by: String },
}

const COUNT: TaskKey<Order, Vec<u32>, CountError, Stage, (u32, String)> = TaskKey::new("count");
const PLAIN: TaskKey<u8, u16, Failure> = TaskKey::new("plain");
const BYTES: TaskKey<(), (), Failure, (), Bytes> = TaskKey::new("bytes");

async fn count(ctx: TaskContext<Stage, (u32, String)>, order: Order) -> Result<Vec<u32>, CountError> {
    ctx.progress().detail(Stage::Begins);
    let to = match order {
        Order::Count(to) => to,
        Order::Refuse => return Err(CountError::Refused { by: "the test".into() }),
        Order::Panic => panic!("as told"),
        Order::Hang => std::future::pending().await,
    };
    for number in 0..to {
        ctx.emit((number, number.to_string())).await;
    }
    ctx.progress().detail(Stage::Ends { after: to });
    Ok((0..to).collect())
}

async fn plain(_: TaskContext, number: u8) -> Result<u16, Failure> {
    number.checked_mul(2).map(u16::from).ok_or_else(|| Failure::new("too large"))
}

async fn bytes(ctx: TaskContext<(), Bytes>, (): ()) -> Result<(), Failure> {
    ctx.emit_bytes(vec![1, 2, 3]).await;
    Ok(())
}

fn tasks() -> TaskManager {
    let policy = || Policy { timeout: Some(Duration::from_secs(60)), ..Policy::default() };
    let kinds = [
        Kind::new(COUNT, policy(), Errors::default(), count),
        Kind::new(PLAIN, policy(), Errors::default(), plain),
        Kind::new(BYTES, policy(), Errors::default(), bytes),
    ];
    let kinds: Kinds = kinds.into_iter().map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
    manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_system())
}

#[tokio::test(start_paused = true)]
async fn a_key_gives_a_handle_of_its_types() {
    let tasks = tasks();
    let task: TaskHandle<Vec<u32>, CountError, Stage, (u32, String)> = tasks.start(COUNT, Order::Count(2)).unwrap();
    let mut watch: TaskWatch<Stage> = task.watch();
    let mut items: TaskItems<(u32, String)> = task.items();
    assert_eq!(items.next().await.unwrap().unwrap(), (0, "0".to_owned()));
    let result: Result<Vec<u32>, TaskError<CountError>> = task.result().await;
    assert_eq!(result.unwrap(), [0, 1]);
    let mut last = None;
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(progress) = event.change {
            last = watch.detail(&progress).unwrap();
        }
    }
    assert_eq!(last, Some(Stage::Ends { after: 2 }));
    let _: TaskBytes = tasks.start(BYTES, ()).unwrap().bytes();
}

#[tokio::test(start_paused = true)]
async fn a_result_says_how_a_task_ended_otherwise() {
    let tasks = tasks();
    let result = |order| {
        let task = tasks.start(COUNT, order).unwrap();
        async move { task.result().await.unwrap_err() }
    };
    let refused = result(Order::Refuse).await;
    let TaskError::Failed { error, message, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(*error, CountError::Refused { by: "the test".into() });
    assert_eq!(refused.to_string(), *message);
    let panicked = result(Order::Panic).await;
    assert!(matches!(&panicked, TaskError::Panic { message, .. } if message.contains("as told")), "{panicked:?}");
    let late = result(Order::Hang).await;
    assert!(matches!(late, TaskError::TimedOut { limit: TimeLimit::Timeout, .. }), "{late:?}");

    let task = tasks.start(COUNT, Order::Hang).unwrap();
    task.cancel().unwrap();
    let cancelled = task.result().await.unwrap_err();
    assert!(matches!(&cancelled, TaskError::Cancelled { reason: CancelReason::User, .. }), "{cancelled:?}");
    assert_eq!(cancelled.to_string(), "the task was cancelled: user");

    let odd = tasks.spawn("odd", async |_: TaskContext| Ok::<_, Failure>(std::collections::HashMap::from([([1], 2)])));
    let odd = odd.untyped().result().await.unwrap_err();
    assert!(matches!(odd, TaskError::Unserializable { .. }), "{odd:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_with_other_types_than_the_handler_reads_nothing_wrong() {
    const WRONG: TaskKey<u8, String, u32> = TaskKey::new("plain");
    let tasks = tasks();
    let completed = tasks.start(WRONG, 1).unwrap().result().await.unwrap_err();
    let failed = tasks.start(WRONG, 200).unwrap().result().await.unwrap_err();
    for (error, what) in [(completed, "output"), (failed, "error")] {
        let TaskError::Unreadable { message, .. } = &error else { panic!("{error:?}") };
        assert!(message.contains(&format!("the {what} ")) && message.contains("key"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_of_any_sort_gives_a_handle_without_types() {
    let tasks = tasks();
    let task: TaskHandle = tasks.start("plain", 3).unwrap();
    let output: Json = task.result().await.unwrap();
    assert_eq!(output.text(), "6");
    let name = String::from("plain");
    let shared: Arc<str> = "plain".into();
    for task in [
        tasks.start(&name, 3).unwrap(),
        tasks.start(name.clone(), 3).unwrap(),
        tasks.start(&*name, 3).unwrap(),
        tasks.start(Arc::clone(&shared), 3).unwrap(),
        tasks.start(&shared, 3_u64).unwrap(),
        tasks.start(Cow::Borrowed("plain"), serde_json::json!(3)).unwrap(),
    ] {
        assert_eq!(task.outcome().await.output::<u16>().unwrap(), Some(6));
    }
    let error = tasks.start("plain", "three").unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn the_input_is_inferred_from_the_key() {
    const SUM: TaskKey<Vec<u64>, u64, Failure> = TaskKey::new("sum");
    let tasks = tasks();
    let numbers = [1_u8, 2];
    assert_eq!(tasks.start(PLAIN, 4).unwrap().result().await.unwrap(), 8);
    assert_eq!(tasks.start(PLAIN, Default::default()).unwrap().result().await.unwrap(), 0);
    let unknown = tasks.start(SUM, numbers.iter().map(|number| (*number).into()).collect()).unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::UnknownTask);
}

#[tokio::test(start_paused = true)]
async fn each_call_takes_a_key() {
    let tasks = tasks();
    let options = StartOptions::new().key("one", OnConflict::Refuse);
    let first: HandleOf<TaskKey<u8, u16, Failure>> = tasks.start_with(PLAIN, 200, options).unwrap();
    assert!(matches!(first.result().await, Err(TaskError::Failed { .. })));
    let again: TaskHandle<u16, Failure, (), Never> = tasks.rerun(PLAIN, first.id()).unwrap();
    assert_ne!(again.id(), first.id());
    let same: TaskHandle<u16, Failure, (), Never> = again.rerun().unwrap_or(again);
    assert!(same.result().await.is_err());

    tasks.schedule("often", PLAIN, 1, Schedule::every(Duration::from_secs(5))).unwrap();
    let run: TaskHandle<u16, Failure, (), Never> = tasks.trigger("often").unwrap().typed(PLAIN).unwrap();
    assert_eq!(run.result().await.unwrap(), 2);

    tasks.set_limit(LimitOf::Task(PLAIN.into()), 7).unwrap();
    let limit = tasks.counts().into_iter().find(|counts| counts.task.as_deref() == Some(PLAIN.name()));
    assert_eq!(limit.unwrap().limit, Some(7));
    let listed = tasks.list(&TaskFilter::default().task(PLAIN));
    assert!(listed.len() >= 3 && listed.iter().all(|task| task.task == "plain"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_the_results_of_its_members_in_order() {
    let tasks = tasks();
    let batch: BatchHandle<u16, Failure, (), Never> = tasks.batch(PLAIN, [3, 200, 1], BatchOptions::new()).unwrap();
    let results: Vec<Result<u16, TaskError<Failure>>> = batch.result().await.unwrap();
    assert_eq!((&results[0], &results[2]), (&Ok(6), &Ok(2)));
    let Err(TaskError::Failed { error, .. }) = &results[1] else { panic!("{results:?}") };
    assert_eq!(error.message, "too large");
    let members: Vec<TaskHandle<u16, Failure, (), Never>> = batch.members();
    assert_eq!(members[2].result().await.unwrap(), 2);
    assert_eq!(batch.status(), TaskStatus::Completed, "it is a task itself");

    let named: BatchHandle = tasks.batch("plain", [4], BatchOptions::new()).unwrap();
    assert_eq!(named.result().await.unwrap()[0].as_ref().unwrap().text(), "8");
    let found: BatchHandle<u16, Failure, (), Never> = tasks.attach_batch(PLAIN, named.id()).unwrap();
    assert_eq!(found.result().await.unwrap(), [Ok(8)]);

    let hangs = tasks.batch(COUNT, [Order::Hang, Order::Count(1)], BatchOptions::new()).unwrap();
    sleep(Duration::from_millis(1)).await;
    hangs.cancel().unwrap();
    let cancelled = hangs.result().await.unwrap_err();
    assert!(matches!(cancelled, TaskError::Cancelled { reason: CancelReason::User, .. }), "{cancelled:?}");
    assert_eq!(hangs.members()[1].result().await.unwrap(), [0], "a member has its own result");
}

#[tokio::test(start_paused = true)]
async fn a_handle_takes_the_types_of_its_own_kind_only() {
    let tasks = tasks();
    let id = tasks.start("plain", 5).unwrap().id();
    let batch = tasks.batch(PLAIN, [5], BatchOptions::new()).unwrap().id();
    let typed: TaskHandle<u16, Failure, (), Never> = tasks.attach(PLAIN, id).unwrap();
    assert_eq!(typed.result().await.unwrap(), 10);
    assert_eq!(tasks.attach("plain", id).unwrap().result().await.unwrap().text(), "10");
    let refused = [
        tasks.attach(COUNT, id).unwrap_err(),
        tasks.attach("count", id).unwrap_err(),
        tasks.handle(id).unwrap().typed(COUNT).unwrap_err(),
        tasks.rerun(COUNT, id).unwrap_err(),
        tasks.attach(PLAIN, batch).unwrap_err(),
        tasks.attach_batch(COUNT, batch).unwrap_err(),
        tasks.attach_batch(PLAIN, id).unwrap_err(),
        tasks.attach(PLAIN, TaskId::new()).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    }
    assert_eq!(tasks.rerun(PLAIN, batch).unwrap_err().kind, ErrorKind::NotRerunnable);
    let error = tasks.attach(COUNT, id).unwrap_err();
    assert!(error.message.contains("\"plain\"") && error.message.contains("\"count\""), "{error}");
}

#[tokio::test(start_paused = true)]
async fn spawned_work_has_the_types_of_its_closure() {
    let tasks = tasks();
    let task: TaskHandle<u32, Failure, Stage, u8> = tasks.spawn("once", async |ctx: TaskContext<Stage, u8>| {
        ctx.emit(7).await;
        Ok::<_, Failure>(5_u32)
    });
    assert_eq!(task.items().next().await.unwrap().unwrap(), 7);
    assert_eq!(task.result().await.unwrap(), 5);
    let mixed: [TaskHandle; 2] = [task.untyped(), tasks.start(PLAIN, 1).unwrap().untyped()];
    assert_eq!(mixed[0].clone().result().await.unwrap().text(), "5");
}

/// Fails to compile if the type implements the trait: then both implementations fit.
macro_rules! assert_not_impl {
    ($($type:ty: $trait:path;)*) => {$(
        const _: fn() = || {
            trait Fits<Why> {
                fn fits() {}
            }
            struct Does;
            impl<T: ?Sized> Fits<()> for T {}
            impl<T: ?Sized + $trait> Fits<Does> for T {}
            let _ = <$type as Fits<_>>::fits;
        };
    )*};
}

macro_rules! assert_impl {
    ($($type:ty: $trait:path;)*) => {$(
        const _: fn() = || {
            fn fits<T: ?Sized + $trait>() {}
            fits::<$type>();
        };
    )*};
}

trait Sends: Send + Sync + Clone + std::fmt::Debug + 'static {}
impl<T: Send + Sync + Clone + std::fmt::Debug + 'static> Sends for T {}

type CountKey = TaskKey<Order, Vec<u32>, CountError, Stage, (u32, String)>;

assert_impl! {
    HandleOf<CountKey>: Sends;
    BatchOf<CountKey>: Sends;
    TaskHandle<std::rc::Rc<u8>>: Sends;
    CountKey: TakesInput<Order>;
    CountKey: FitsHandler<Order, Vec<u32>, CountError, Stage, (u32, String)>;
    &str: TakesInput<Order>;
    String: FitsHandler<Order, Vec<u32>, CountError, Stage, (u32, String)>;
}

assert_not_impl! {
    // Another input, and one that only reads the same.
    CountKey: TakesInput<u32>;
    CountKey: TakesInput<&'static Order>;
    CountKey: TakesInput<Json>;
    // A handler that differs in one type only.
    CountKey: FitsHandler<u32, Vec<u32>, CountError, Stage, (u32, String)>;
    CountKey: FitsHandler<Order, Vec<u64>, CountError, Stage, (u32, String)>;
    CountKey: FitsHandler<Order, Vec<u32>, Failure, Stage, (u32, String)>;
    CountKey: FitsHandler<Order, Vec<u32>, CountError, (), (u32, String)>;
    CountKey: FitsHandler<Order, Vec<u32>, CountError, Stage, Never>;
    // What is no name.
    u32: TaskName;
    TaskId: TaskName;
    // A reason of the engine is no words.
    CancelReason: AsRef<str>;
    CancelReason: Into<String>;
    // Bytes are read with `bytes`.
    Bytes: serde::de::DeserializeOwned;
}
