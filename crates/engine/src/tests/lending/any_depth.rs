//! Every way to await a task, in every limit that it shares with the handler, to any depth.

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use serde::{Deserialize, Serialize};

use super::{App, ended, some_work};
use crate::{
    BatchOptions, Bytes, Failure, Json, Outcome, TaskContext, TaskFilter, TaskHandle,
    policy::{Policy, item_buffer::Bounds},
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

/// The limit of one that a handler shares with the tasks that it awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    App,
    Kind,
    Group,
    Batch,
}

const LIMITS: [Limit; 4] = [Limit::App, Limit::Kind, Limit::Group, Limit::Batch];

/// What a handler does with a task that it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum How {
    Outcome,
    Result,
    Watch,
    Items,
    Bytes,
    Batch,
    Members,
    MembersItems,
    Join,
    Unordered,
    Spawn,
    Rerun,
}

const WAYS: [How; 12] = [
    How::Outcome,
    How::Result,
    How::Watch,
    How::Items,
    How::Bytes,
    How::Batch,
    How::Members,
    How::MembersItems,
    How::Join,
    How::Unordered,
    How::Spawn,
    How::Rerun,
];

/// The input of a handler: what it does with the tasks that it starts, and how many generations follow.
type Input = (How, u32);

/// Starts and awaits tasks as `how` says, down to the last generation. Works before and after. Returns how many tasks of
/// the tree did so.
fn parent(app: App, (how, depth): Input) -> BoxFuture<'static, Result<u64, Failure>> {
    Box::pin(async move {
        some_work(&app).await;
        let sum = if depth == 0 { 0 } else { children(&app, how, depth - 1).await? };
        some_work(&app).await;
        Ok(sum + 1)
    })
}

async fn children(app: &App, how: How, depth: u32) -> Result<u64, Failure> {
    let tasks = app.tasks();
    let input = (how, depth);
    let start = || tasks.start("parent", input).unwrap();
    let sum_of = |outcome: Outcome| outcome.into_result::<u64, Json>().map_err(|error| Failure::new(error.to_string()));
    Ok(match how {
        How::Outcome => sum_of(start().outcome().await)?,
        How::Result => start().result().await.map(|sum| sum.read()).unwrap().unwrap(),
        How::Watch => {
            let task = start();
            let mut watch = task.watch();
            while watch.next().await.is_some() {
                some_work(app).await;
            }
            sum_of(task.outcome().now_or_never().unwrap())?
        }
        How::Items => {
            let task = tasks.start("emits", input)?;
            let mut items = task.items();
            while let Some(item) = items.next().await {
                item.unwrap();
                some_work(app).await;
            }
            sum_of(task.outcome().now_or_never().unwrap())?
        }
        How::Bytes => {
            let task = tasks.start("streams", input)?;
            let mut bytes = task.bytes();
            while let Some(bytes) = bytes.next().await {
                bytes.unwrap();
                some_work(app).await;
            }
            sum_of(task.outcome().now_or_never().unwrap())?
        }
        How::Batch => {
            let batch = tasks.batch("parent", [input; 2], BatchOptions::new().concurrency(1))?;
            batch.result().await.unwrap().into_iter().map(|sum| sum.unwrap().read::<u64>().unwrap()).sum()
        }
        How::Members => {
            let batch = tasks.batch("parent", [input; 2], BatchOptions::new())?;
            let mut sum = 0;
            for member in batch.members() {
                sum += sum_of(member.outcome().await)?;
            }
            sum
        }
        How::MembersItems => {
            let batch = tasks.batch("emits", [input; 2], BatchOptions::new().concurrency(1))?;
            let mut sum = 0;
            for member in batch.members() {
                let mut items = member.items();
                while items.next().await.is_some() {
                    some_work(app).await;
                }
                sum += sum_of(member.outcome().await)?;
            }
            sum
        }
        How::Join => {
            let all = join_all([start(), start(), start()].map(|task| async move { task.outcome().await })).await;
            all.into_iter().map(sum_of).sum::<Result<u64, _>>()?
        }
        How::Unordered => {
            let all = [start(), start(), start()].map(|task| async move { task.outcome().await });
            let mut all: FuturesUnordered<_> = all.into_iter().collect();
            let mut sum = 0;
            while let Some(outcome) = all.next().await {
                some_work(app).await;
                sum += sum_of(outcome)?;
            }
            sum
        }
        How::Spawn => {
            let at = app.clone();
            let task = tasks.spawn("spawned", move |_: TaskContext| parent(at, input));
            task.result().await.unwrap()
        }
        How::Rerun => {
            let task = start();
            task.cancel()?;
            sum_of(task.rerun()?.outcome().await)?
        }
    })
}

fn policy(limit: Limit) -> Policy {
    let base = Policy { item_buffer: Bounds { items: 2, bytes: 16 }, ..Policy::default() };
    match limit {
        Limit::Kind => Policy { concurrency: Some(1), ..base },
        Limit::Group => Policy { group: Some("disk".into()), ..base },
        Limit::App | Limit::Batch => base,
    }
}

fn app(limit: Limit) -> App {
    let app = App::new();
    let [one, two, three] = [(); 3].map(|()| app.clone());
    let kinds = [
        Kind::new("parent", policy(limit), Errors::default(), move |_: TaskContext, input: Input| {
            parent(one.clone(), input)
        }),
        Kind::new("emits", policy(limit), Errors::default(), move |ctx: TaskContext<(), u32>, (_, depth): Input| {
            let app = two.clone();
            async move {
                for number in 0..7 {
                    some_work(&app).await;
                    ctx.emit(number).await;
                }
                parent(app, (How::Items, depth)).await
            }
        }),
        Kind::new(
            "streams",
            policy(limit),
            Errors::default(),
            move |ctx: TaskContext<(), Bytes>, (_, depth): Input| {
                let app = three.clone();
                async move {
                    for _ in 0..3 {
                        some_work(&app).await;
                        ctx.emit_bytes(&[1; 100]).await;
                    }
                    parent(app, (How::Bytes, depth)).await
                }
            },
        ),
    ];
    let settings = Settings {
        concurrency: (limit == Limit::App).then_some(1),
        groups: vec![("disk".into(), 1)],
        ..Settings::default()
    };
    app.run(kinds, settings);
    app
}

/// Starts a task in `limit`. In a batch, another member waits for the slot as well.
fn start(app: &App, limit: Limit, kind: &str, input: impl Serialize) -> TaskHandle {
    let tasks = app.tasks();
    if limit == Limit::Batch {
        let batch = tasks.batch(kind, [input], BatchOptions::new().concurrency(1)).unwrap();
        return batch.members().remove(0);
    }
    tasks.start(kind, input).unwrap()
}

/// Returns the number of tasks in a tree of this depth.
fn size(how: How, depth: u32) -> u64 {
    let children = match how {
        How::Batch | How::Members | How::MembersItems => 2,
        How::Join | How::Unordered => 3,
        _ => 1,
    };
    if depth == 0 { 1 } else { 1 + children * size(if how == How::MembersItems { How::Items } else { how }, depth - 1) }
}

#[tokio::test(start_paused = true)]
async fn handlers_may_await_tasks_in_their_own_limit_to_any_depth() {
    for limit in LIMITS {
        for how in WAYS {
            for depth in 1..=3 {
                let app = app(limit);
                let task = start(&app, limit, "parent", (how, depth));
                let what = format!("{how:?}, {depth} deep, in a limit of one of the {limit:?}");
                let outcome = ended(&task).await;
                let Outcome::Completed { output } = outcome else { panic!("{what}: {outcome:?}") };
                assert_eq!(output.read::<u64>().unwrap(), size(how, depth), "{what}");
                // `spawn` has no kind, and the children are in no batch: they share only the app's limit.
                let shares = match limit {
                    Limit::App => true,
                    Limit::Kind => matches!(how, How::Outcome | How::Result | How::Watch | How::Join | How::Unordered),
                    Limit::Group => how != How::Spawn,
                    Limit::Batch => false,
                };
                if shares {
                    assert_eq!(app.most(), 1, "{what}");
                }
                assert!(
                    app.tasks().list(&TaskFilter::default()).iter().all(|task| task.waits_for.is_empty()),
                    "{what}"
                );
            }
        }
    }
}
