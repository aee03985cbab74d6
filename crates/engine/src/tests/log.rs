//! What is logged is one line within a limit, whatever the texts are that it names.

use std::{
    fmt::{Debug, Write},
    future::pending,
    sync::{Arc, mpsc},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    runtime::Builder,
    sync::Notify,
    task::yield_now,
    time::{advance, sleep, timeout},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

use super::manager;
use crate::{
    Failure, Never, OnExit, Restart, Retry, Schedule, TaskContext, TaskHandle, TaskManager, Unread,
    clock::Clocks,
    delivery::{Ask, Bounds, Errors, Kind, Policy, Runtimes, Settings, WINDOW, engine},
    logged::LOGGED_BYTES,
};

/// Every value that is logged, or that a span has, at any level: the raw texts, before a subscriber formats them.
#[derive(Clone, Default)]
pub(super) struct Records(Arc<Mutex<Vec<String>>>);

impl Records {
    /// Captures the records of this thread until the guard is dropped.
    pub(super) fn capture() -> (Self, DefaultGuard) {
        let records = Self::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(records.clone()));
        (records, guard)
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Records {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut values = Values(String::new());
        attributes.record(&mut values);
        self.0.lock().push(values.0);
    }

    fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
        let mut values = Values(String::new());
        record.record(&mut values);
        self.0.lock().push(values.0);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut values = Values(String::new());
        event.record(&mut values);
        self.0.lock().push(values.0);
    }
}

struct Values(String);

impl Visit for Values {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

/// A text that forges lines, colours and directions, and never ends. It begins with `start`.
fn hostile(start: &str) -> String {
    let forged = "\r\n2030-01-01T00:00:00Z ERROR app: forged\u{85}\u{2028}\u{2029}\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{2066}\u{7f}\0";
    format!("{start}{forged}{}", "very long ".repeat(100_000))
}

/// Whether a terminal, or who reads a log line by line, takes the character for something else than itself.
fn forges(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The most texts that one record names.
const TEXTS: usize = 16;

fn check(records: &[String]) {
    for record in records {
        let start: String = record.chars().take(500).collect();
        assert!(!record.contains(forges), "{start:?}");
        assert!(record.len() <= TEXTS * LOGGED_BYTES, "{} bytes: {start:?}", record.len());
    }
}

fn kind(start: &str, policy: Policy, run: fn(TaskContext<String, u32>) -> End) -> Kind {
    Kind::new(&*hostile(start), policy, Errors::default(), move |ctx: TaskContext<String, u32>, (): ()| run(ctx))
}

type End = futures_util::future::BoxFuture<'static, Result<(), Failure>>;

/// Panics with a hostile text when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", hostile("bomb"));
    }
}

fn start(tasks: &TaskManager, name: &str) -> TaskHandle {
    tasks.start(&*hostile(name), ()).unwrap()
}

/// Checks what `work` has logged: each of the records, and that there is one that says each of `said`.
async fn sweep(said: &[&str], work: impl AsyncFnOnce()) {
    let (records, _guard) = Records::capture();
    work().await;
    let records = records.all();
    check(&records);
    for said in said {
        let is_said = records.iter().any(|record| record.contains(said));
        assert!(is_said, "nothing says {said:?}: {}", records.join("\n"));
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn failures_and_panics() {
    let said = [
        "nobody was watching",
        "run again in",
        "tried again in",
        "(after it was told to stop)",
        "(while it was dropped)",
        "(in on_cancel)",
        "status=failed",
    ];
    sweep(&said, async || {
        let again = Policy { restart: Some(Restart::on_failure()), ..Policy::default() };
        let retried = Policy { retry: Some(Retry::attempts(2)), ..Policy::default() };
        let fails: fn(_) -> End = |_| Box::pin(async { Err(Failure::new(hostile("error"))) });
        let panics: fn(_) -> End = |_| Box::pin(async { panic!("{}", hostile("panic")) });
        let panics_late: fn(TaskContext<String, u32>) -> End = |ctx| {
            Box::pin(async move {
                ctx.cancelled().await;
                panic!("{}", hostile("late"))
            })
        };
        let cleans_up: fn(TaskContext<String, u32>) -> End = |ctx| {
            Box::pin(async move {
                ctx.on_cancel(async { panic!("{}", hostile("clean-up")) });
                let _bomb = Bomb;
                pending().await
            })
        };
        let kinds = [
            kind("fails", Policy::default(), fails),
            kind("again", again, fails),
            kind("retried", retried, fails),
            kind("panics", Policy::default(), panics),
            kind("late", Policy::default(), panics_late),
            kind("cleans up", Policy::default(), cleans_up),
        ];
        let tasks = manager(kinds, Settings::default());
        for name in ["fails", "again", "retried", "panics"] {
            drop(start(&tasks, name));
        }
        let stopped = ["late", "cleans up"].map(|name| start(&tasks, name));
        sleep(secs(5)).await;
        for task in &stopped {
            task.cancel_with(hostile("reason")).unwrap();
        }
        sleep(secs(60)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn reports_and_items() {
    let said = ["a progress detail is left out", "an emit of a task is discarded", "has not asked for anything"];
    sweep(&said, async || {
        let reports: fn(TaskContext<String, u32>) -> End = |ctx| {
            Box::pin(async move {
                ctx.progress().detail(hostile("detail"));
                tokio::spawn(async move {
                    sleep(secs(1)).await;
                    ctx.emit(1).await;
                });
                Ok(())
            })
        };
        let emits: fn(TaskContext<String, u32>) -> End = |ctx| {
            Box::pin(async move {
                for number in 0..100 {
                    ctx.emit(number).await;
                }
                Ok(())
            })
        };
        let small = Policy { item_buffer: Bounds { items: 1, bytes: 100 }, unread: Unread::Wait, ..Policy::default() };
        let kinds = [kind("reports", Policy::default(), reports), kind("emits", small, emits)];
        let tasks = manager(kinds, Settings::default());
        let _reports = start(&tasks, "reports");
        let emits = start(&tasks, "emits");
        let record = engine(&tasks).find(emits.id()).unwrap();
        let label = hostile("reader");
        let ask = Ask { reader: &label, label: &label, chunk: 1, from: None, holds: WINDOW };
        record.items().read(ask).await.unwrap();
        sleep(secs(200)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn tasks_that_take_too_long_to_stop() {
    let said = ["is overdue", "took longer than its grace period", "before it could finish"];
    sweep(&said, async || {
        let cleans_up: fn(TaskContext<String, u32>) -> End = |ctx| {
            Box::pin(async move {
                ctx.on_cancel(pending());
                pending().await
            })
        };
        let (open, gate) = mpsc::channel::<()>();
        let (gate, begun) = (Mutex::new(Some(gate)), Arc::new(Notify::new()));
        let begins = Arc::clone(&begun);
        let stays = move |ctx: TaskContext, (): ()| {
            let (gate, begins) = (gate.lock().take().unwrap(), Arc::clone(&begins));
            async move {
                ctx.spawn_blocking(move |_| {
                    begins.notify_one();
                    let _ = gate.recv();
                })
                .await;
                Ok::<_, Failure>(())
            }
        };
        let finish = Policy { on_exit: OnExit::Finish, ..Policy::default() };
        let kinds = [
            Kind::new(&*hostile("stays"), Policy::default(), Errors::default(), stays),
            kind("cleans up", Policy::default(), cleans_up),
            kind("finishes", finish, |_| Box::pin(pending())),
        ];
        let tasks = manager(kinds, Settings::default());
        let cleans_up = start(&tasks, "cleans up");
        let _finishes = start(&tasks, "finishes");
        sleep(secs(1)).await;
        cleans_up.cancel().unwrap();
        sleep(secs(20)).await;
        let stays = start(&tasks, "stays");
        begun.notified().await;
        stays.cancel().unwrap();
        // While a thread is blocked, paused time advances only by `advance`.
        for _ in 0..10 {
            yield_now().await;
            advance(secs(1)).await;
        }
        assert!(stays.snapshot().overdue);
        drop(open);
        tasks.shut_down(secs(10)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn waits_for_tasks() {
    let said =
        ["have waited for each other", "can't run because of", "the limit of the group", "the limit of the kind"];
    sweep(&said, async || {
        let group = hostile("group");
        let in_group = Policy { group: Some(group.as_str().into()), ..Policy::default() };
        let one = Policy { concurrency: Some(1), ..Policy::default() };
        let settings = Settings { groups: vec![(group, 1)], ..Settings::default() };
        let tasks = manager(
            [kind("in group", in_group, |_| Box::pin(pending())), kind("one", one, |_| Box::pin(pending()))],
            settings,
        );
        let mut running = Vec::new();
        for name in ["in group", "one"] {
            let [runs, waits] = [start(&tasks, name), start(&tasks, name)];
            running.push(runs);
            tokio::spawn(async move { waits.outcome().await });
        }
        // Each awaits the other.
        let (send, receive) = tokio::sync::oneshot::channel::<TaskHandle<(), Failure, (), Never>>();
        let first = tasks.spawn(&hostile("first"), async move |_: TaskContext| {
            if let Ok(second) = receive.await {
                second.outcome().await;
            }
            Ok::<_, Failure>(())
        });
        let id = first.id();
        let here = tasks.clone();
        let second = tasks.spawn(&hostile("second"), async move |_: TaskContext| {
            here.handle(id).unwrap().outcome().await;
            Ok::<_, Failure>(())
        });
        send.send(second).ok().unwrap();
        sleep(secs(1_000)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn schedules() {
    let said = ["their start is refused", "leaves out", "follows UTC"];
    sweep(&said, async || {
        let full = Policy { concurrency: Some(1), queue_limit: Some(0), ..Policy::default() };
        let kinds =
            [kind("full", full, |_| Box::pin(pending())), kind("long", Policy::default(), |_| Box::pin(pending()))];
        let tasks = manager(kinds, Settings::default());
        let name = |start: &str| hostile(start).chars().take(100).collect::<String>();
        let _runs = start(&tasks, "full");
        for kind in ["full", "long"] {
            tasks.schedule(&name(kind), &*hostile(kind), (), Schedule::every(secs(10))).unwrap();
        }
        tasks.schedule(&name("cron"), &*hostile("long"), (), Schedule::cron("0 3 * * *").unwrap()).unwrap();
        tasks.schedules.tell_zone(Some(&hostile("zone")));
        sleep(secs(100)).await;
    })
    .await;
}

#[test]
fn a_runtime_that_ends() {
    let (records, _guard) = Records::capture();
    let control = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let work = Builder::new_current_thread().enable_all().build().unwrap();
    let runtimes = Runtimes { control: control.handle().clone(), work: work.handle().clone() };
    let kinds = [kind("runs", Policy::default(), |_| Box::pin(pending()))];
    let kinds = kinds.map(|kind| (Arc::clone(&kind.name), Arc::new(kind)));
    let tasks = TaskManager::with_kinds(runtimes, kinds.into(), Settings::default(), Clocks::of_tokio(|| 0));
    drop(start(&tasks, "runs"));
    drop(work);
    control.block_on(async { timeout(secs(10), pending::<()>()).await }).unwrap_err();
    let records = records.all();
    check(&records);
    assert!(records.iter().any(|record| record.contains("has ended before them")), "{records:?}");
}
