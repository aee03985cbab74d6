//! Trees of tasks that await each other in limits of one and two, on real threads: no wake-up and no slot is lost, and no
//! more handlers are at work than a limit allows.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tauri_plugin_tasks_engine::{
    BatchOptions, Failure, TaskContext, TaskFilter, TaskHandle, TaskManager,
    delivery::{self, Clocks, Errors, Kind, Policy, Runtimes, Settings},
};
use tokio::{runtime::Handle, task::yield_now, time::timeout};

const LIMITS: [(&str, usize); 2] = [("one", 1), ("two", 2)];
const TREES: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of a tree, of which everything in it depends, and how many generations follow.
type Input = (u32, u32);

#[derive(Default)]
struct AtWork {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl AtWork {
    fn enter(&self) -> Leave<'_> {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Leave(self)
    }
}

/// Also left by a handler that is dropped.
struct Leave<'a>(&'a AtWork);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

#[derive(Clone, Default)]
struct App {
    tasks: Arc<OnceLock<TaskManager>>,
    at_work: [Arc<AtWork>; 2],
}

impl App {
    /// Works for a moment, and then doesn't count any more.
    async fn work(&self, kind: usize) {
        let _leave = self.at_work[kind].enter();
        yield_now().await;
    }

    fn start(&self, seed: u32, depth: u32) -> TaskHandle {
        self.tasks.get().unwrap().start(LIMITS[seed as usize % 2].0, (seed, depth)).unwrap()
    }

    fn run(
        self,
        kind: usize,
        ctx: TaskContext<(), u32>,
        (seed, depth): Input,
    ) -> BoxFuture<'static, Result<(), Failure>> {
        Box::pin(async move {
            self.work(kind).await;
            ctx.emit(seed).await;
            let children: Vec<_> = (0..3).map(|child| seed * 3 + child).collect();
            match seed % 5 {
                _ if depth == 0 => {}
                0 => {
                    let all: Vec<_> = children.iter().map(|child| self.start(*child, depth - 1)).collect();
                    let mut all: FuturesUnordered<_> = all.iter().map(TaskHandle::outcome).collect();
                    while all.next().await.is_some() {
                        self.work(kind).await;
                    }
                }
                1 => {
                    let inputs = children.iter().map(|child| (*child, depth - 1));
                    let options = BatchOptions::new().concurrency(1);
                    let _ = self.tasks.get().unwrap().batch(LIMITS[kind].0, inputs, options)?.result().await;
                }
                2 => {
                    let task = self.start(children[0], depth - 1);
                    let mut items = task.items();
                    while items.next().await.is_some() {
                        self.work(kind).await;
                    }
                }
                3 => {
                    let [one, two] = [0, 1].map(|child| self.start(children[child], depth - 1));
                    tokio::join!(one.outcome(), two.outcome());
                }
                _ => {
                    let task = self.start(children[0], depth - 1);
                    let _ = timeout(Duration::from_millis(1), task.outcome()).await;
                    let _ = task.cancel();
                    task.outcome().await;
                }
            }
            ctx.emit(seed).await;
            self.work(kind).await;
            Ok(())
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trees_of_tasks_end_within_their_limits() {
    let app = App::default();
    let kinds = LIMITS.iter().enumerate().map(|(kind, (name, limit))| {
        let app = app.clone();
        let policy = Policy { concurrency: Some(*limit), ..Policy::default() };
        let handler = move |ctx: TaskContext<(), u32>, input: Input| app.clone().run(kind, ctx, input);
        ((*name).into(), Arc::new(Kind::new(*name, policy, Errors::default(), handler)))
    });
    let runtimes = Runtimes::one(Handle::current());
    let tasks = delivery::manager(runtimes, kinds.collect(), Settings::default(), Clocks::of_system());
    assert!(app.tasks.set(tasks.clone()).is_ok());
    let trees: Vec<_> = (0..TREES).map(|seed| app.start(seed, 3)).collect();
    for (number, tree) in trees.iter().enumerate() {
        if number % 7 == 0 {
            yield_now().await;
            let _ = tree.cancel();
        }
    }
    // A cancelled handler leaves its children, so these are awaited as well.
    loop {
        let left = tasks.list(&TaskFilter::default()).into_iter().find(|task| !task.status.is_final());
        let Some(left) = left else { break };
        let ended = tasks.handle(left.id).unwrap();
        assert!(timeout(PATIENCE, ended.outcome()).await.is_ok(), "{:?}", ended.snapshot());
    }
    for ((name, limit), at_work) in LIMITS.iter().zip(&app.at_work) {
        let most = at_work.most.load(SeqCst);
        assert!(most <= *limit, "{most} of \"{name}\" were at work");
    }
}
