//! Handlers that await tasks which they have started.

mod any_depth;
mod joins;
mod log;
mod races;
mod random;
mod readers;
mod rings;
mod shared;
mod slots;
mod stops;
mod told;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::manager;
use crate::{
    Failure, Outcome, TaskContext, TaskHandle, TaskManager,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

/// The app of a test: its tasks, how many handlers are at work, that is, not awaiting another task, and what happened.
#[derive(Clone)]
struct App {
    manager: Arc<OnceLock<TaskManager>>,
    at_work: Arc<Mutex<(usize, usize)>>,
    told: Arc<Mutex<Vec<(u64, String)>>>,
    begin: Instant,
}

struct AtWork(App);

impl App {
    fn new() -> Self {
        Self { manager: Arc::default(), at_work: Arc::default(), told: Arc::default(), begin: Instant::now() }
    }

    /// Makes an app of one kind with a limit of one: "parent" runs `handler`, and "sleep" sleeps for its input in
    /// milliseconds. Both are in the group "disk".
    fn of_one<Fut>(handler: impl Fn(Self, TaskContext) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Self::with(in_group(), handler)
    }

    fn with<Fut>(policy: Policy, handler: impl Fn(Self, TaskContext) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let app = Self::new();
        let (here, there) = (app.clone(), app.clone());
        let sleeps = Kind::new("sleep", in_group(), Errors::default(), move |_: TaskContext, millis: u64| {
            let app = there.clone();
            async move {
                app.tell(format!("sleep {millis}"));
                let _at_work = app.work();
                sleep(ms(millis)).await;
                Ok::<_, Failure>(())
            }
        });
        let parent =
            Kind::new("parent", policy, Errors::default(), move |ctx: TaskContext, (): ()| handler(here.clone(), ctx));
        app.run([parent, sleeps], Settings { groups: vec![("disk".into(), 1)], ..Settings::default() });
        app
    }

    fn run(&self, kinds: impl IntoIterator<Item = Kind>, settings: Settings) {
        assert!(self.manager.set(manager(kinds, settings)).is_ok());
    }

    fn tasks(&self) -> &TaskManager {
        self.manager.get().unwrap()
    }

    /// Starts a task that sleeps for this many milliseconds.
    fn sleeper(&self, millis: u64) -> TaskHandle {
        self.tasks().start("sleep", millis).unwrap()
    }

    fn parent(&self) -> TaskHandle {
        self.tasks().start("parent", ()).unwrap()
    }

    /// Notes what happens, with the time in milliseconds.
    fn tell(&self, what: impl Into<String>) {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap();
        self.told.lock().push((now, what.into()));
    }

    fn told(&self) -> Vec<(u64, String)> {
        self.told.lock().clone()
    }

    fn has_told(&self, told: &[(u64, &str)]) {
        let told: Vec<_> = told.iter().map(|(at, what)| (*at, (*what).to_owned())).collect();
        assert_eq!(self.told(), told);
    }

    /// Notes that a handler is at work until what this returns is dropped.
    fn work(&self) -> AtWork {
        let mut at_work = self.at_work.lock();
        at_work.0 += 1;
        at_work.1 = at_work.0.max(at_work.1);
        AtWork(self.clone())
    }

    /// How many were at work at the same time.
    fn most(&self) -> usize {
        self.at_work.lock().1
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.lock().0 -= 1;
    }
}

async fn some_work(app: &App) {
    let _at_work = app.work();
    sleep(ms(10)).await;
}

async fn ended(task: &TaskHandle) -> Outcome {
    timeout(Duration::from_secs(3_600), task.outcome()).await.expect("it ends")
}

fn in_group() -> Policy {
    Policy { group: Some("disk".into()), ..Policy::default() }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
