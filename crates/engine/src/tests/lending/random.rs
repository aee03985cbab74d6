//! Random trees of tasks that await each other, in random limits that change, with cancels: no limit is exceeded, every
//! task ends, and no slot is lost.

use std::{collections::HashMap, sync::Arc};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::Mutex;
use proptest::{prelude::*, sample::Index};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::{App, ended, ms};
use crate::{
    BatchOptions, Failure, LimitOf, TaskContext, TaskFilter, TaskHandle, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const KINDS: [&str; 3] = ["a", "b", "c"];

/// A task: its kind, and how it works and awaits its children.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tree {
    kind: usize,
    work: u64,
    how: How,
    children: Vec<Tree>,
    fails: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum How {
    OneByOne,
    Unordered,
    /// Gives up each wait after this many milliseconds, and cancels the child.
    AtMost(u64),
    Batch,
    Items,
}

fn tree() -> impl Strategy<Value = Tree> {
    let how = || {
        prop_oneof![
            2 => Just(How::OneByOne),
            2 => Just(How::Unordered),
            1 => (1_u64..40).prop_map(How::AtMost),
            1 => Just(How::Batch),
            1 => Just(How::Items),
        ]
    };
    let node = move |children| {
        (0..KINDS.len(), 1_u64..20, how(), children, prop::bool::weighted(0.1))
            .prop_map(|(kind, work, how, children, fails)| Tree { kind, work, how, children, fails })
    };
    let leaf = node(Just(vec![]).boxed());
    leaf.prop_recursive(3, 10, 3, move |tree| node(prop::collection::vec(tree, 0..3).boxed()))
}

#[derive(Debug, Clone)]
enum Step {
    Start(Tree),
    SetLimit(usize, usize),
    Cancel(Index),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => tree().prop_map(Step::Start),
        1 => (0..5_usize, 1..3_usize).prop_map(|(of, limit)| Step::SetLimit(of, limit)),
        1 => any::<Index>().prop_map(Step::Cancel),
        3 => (1_u64..40).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..14)
}

/// Where tasks of a kind take a slot: the app, the kind and, for the first two kinds, the group.
fn scopes(kind: usize) -> Vec<usize> {
    if kind < 2 { vec![0, 1, kind + 2] } else { vec![0, kind + 2] }
}

fn limit_of(scope: usize) -> LimitOf {
    match scope {
        0 => LimitOf::App,
        1 => LimitOf::Group("group".into()),
        kind => LimitOf::Task(KINDS[kind - 2].into()),
    }
}

/// How many handlers are at work in each scope, its limit, and what was wrong.
#[derive(Default)]
struct World {
    at_work: HashMap<usize, usize>,
    limits: [usize; 5],
    wrong: Vec<String>,
}

#[derive(Clone)]
struct Forest {
    app: App,
    world: Arc<Mutex<World>>,
}

struct Working<'a>(&'a Forest, usize);

impl Forest {
    /// Notes that a task of this kind is at work. A lowered limit stops nobody, so it may be exceeded by those before.
    fn work(&self, kind: usize) -> Working<'_> {
        let mut world = self.world.lock();
        for scope in scopes(kind) {
            let limit = world.limits[scope];
            let count = world.at_work.entry(scope).or_default();
            *count += 1;
            if *count > limit {
                let wrong = format!("{count} are at work in {:?}, where {limit} may", limit_of(scope));
                world.wrong.push(wrong);
            }
        }
        Working(self, kind)
    }

    async fn works(&self, tree: &Tree) {
        let _working = self.work(tree.kind);
        sleep(ms(tree.work)).await;
    }

    fn start(&self, tree: &Tree) -> TaskHandle {
        self.app.tasks().start(KINDS[tree.kind], tree).unwrap()
    }

    fn run(self, ctx: TaskContext<(), u32>, tree: Tree) -> BoxFuture<'static, Result<(), Failure>> {
        Box::pin(async move {
            self.works(&tree).await;
            ctx.emit(1).await;
            match tree.how {
                How::OneByOne => {
                    for child in &tree.children {
                        self.start(child).outcome().await;
                        self.works(&tree).await;
                    }
                }
                How::Unordered => {
                    let children: Vec<_> = tree.children.iter().map(|child| self.start(child)).collect();
                    let mut all: FuturesUnordered<_> = children.iter().map(TaskHandle::outcome).collect();
                    while all.next().await.is_some() {
                        self.works(&tree).await;
                    }
                }
                How::AtMost(millis) => {
                    for child in tree.children.iter().map(|child| self.start(child)) {
                        if timeout(ms(millis), child.outcome()).await.is_err() {
                            let _ = child.cancel();
                            child.outcome().await;
                        }
                        self.works(&tree).await;
                    }
                }
                How::Batch => {
                    // A batch is of one kind.
                    if let Some(first) = tree.children.first() {
                        let children = tree.children.iter().map(|child| Tree { kind: first.kind, ..child.clone() });
                        let options = BatchOptions::new().concurrency(1);
                        let _ = self.app.tasks().batch(KINDS[first.kind], children, options)?.result().await;
                    }
                }
                How::Items => {
                    for child in tree.children.iter().map(|child| self.start(child)) {
                        let mut items = child.items();
                        while items.next().await.is_some() {
                            self.works(&tree).await;
                        }
                    }
                }
            }
            ctx.emit(2).await;
            self.works(&tree).await;
            if tree.fails { Err(Failure::new("as told")) } else { Ok(()) }
        })
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut world = self.0.world.lock();
        for scope in scopes(self.1) {
            *world.at_work.entry(scope).or_default() -= 1;
        }
    }
}

fn forest() -> Forest {
    let forest = Forest { app: App::new(), world: Arc::default() };
    let settings = Settings { concurrency: Some(2), groups: vec![("group".into(), 1)], ..Settings::default() };
    forest.world.lock().limits = [2, 1, 1, 2, 1];
    let kinds = KINDS.iter().enumerate().map(|(kind, name)| {
        let group = (kind < 2).then(|| "group".into());
        let policy = Policy { group, concurrency: Some([1, 2, 1][kind]), ..Policy::default() };
        let forest = forest.clone();
        Kind::new(*name, policy, Errors::default(), move |ctx: TaskContext<(), u32>, tree: Tree| {
            forest.clone().run(ctx, tree)
        })
    });
    forest.app.run(kinds.collect::<Vec<_>>(), settings);
    forest
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let forest = forest();
    let tasks = forest.app.tasks();
    let mut started = vec![];
    for step in steps {
        match step {
            Step::Start(tree) => started.push(forest.start(&tree)),
            Step::SetLimit(scope, limit) => {
                let mut world = forest.world.lock();
                // A lowered limit holds for those that begin later, which can't be told apart here.
                let limit = limit.max(world.limits[scope]);
                world.limits[scope] = limit;
                drop(world);
                tasks.set_limit(limit_of(scope), limit).unwrap();
            }
            Step::Cancel(index) => {
                let all = tasks.list(&TaskFilter::default());
                if !all.is_empty() {
                    let _ = tasks.cancel(index.get(&all).id);
                }
            }
            Step::Advance(millis) => sleep(ms(millis)).await,
        }
    }
    for task in &started {
        prop_assert!(timeout(ms(3_600_000), task.outcome()).await.is_ok(), "{:?}", tasks.list(&TaskFilter::default()));
    }
    // Children whose parents were cancelled.
    while let Some(left) = tasks.list(&TaskFilter::default()).into_iter().find(|task| !task.status.is_final()) {
        ended(&tasks.handle(left.id).unwrap()).await;
    }
    prop_assert_eq!(&forest.world.lock().wrong, &Vec::<String>::new());
    let all = tasks.list(&TaskFilter::default());
    prop_assert!(all.iter().all(|task| task.waits_for.is_empty() && task.status != TaskStatus::Running));
    prop_assert_eq!(tasks.engine.transitions.common.admission.lock().len(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn trees_of_tasks_end_within_all_limits(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
