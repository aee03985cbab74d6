//! What a handler has left running when its attempt is over: it still has its context, and nothing that it does with it
//! changes the task.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    thread,
};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use tokio::{sync::Notify, time::sleep};

use super::manager;
use crate::{
    Backoff, Bytes, ErrorKind, Failure, Outcome, Progress, Retry, Stopped, TaskContext, TaskHandle, TaskManager,
    TaskStatus, TimeLimit, Unit,
    changes::change_set::ChangeSet,
    delivery::Record,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::items::{ask, secs, settle},
};

/// How a leftover uses a method, by the method's name.
type Uses<I> = &'static [(&'static str, fn(TaskContext<String, I>) -> BoxFuture<'static, ()>)];

const OF_ANY: Uses<u32> = &[
    ("id", |ctx| {
        Box::pin(async move {
            let _ = ctx.id();
        })
    }),
    ("name", |ctx| {
        Box::pin(async move {
            let _ = ctx.name().to_owned();
        })
    }),
    ("attempt", |ctx| Box::pin(async move { assert_eq!(ctx.attempt(), 1) })),
    ("progress", |ctx| {
        Box::pin(async move {
            ctx.progress().inc(0);
        })
    }),
    ("token", |ctx| Box::pin(async move { ctx.token().cancel() })),
    ("is_cancelled", |ctx| {
        Box::pin(async move {
            let _ = ctx.is_cancelled();
        })
    }),
    ("cancelled", |ctx| {
        Box::pin(async move {
            let _ = ctx.cancelled().now_or_never();
        })
    }),
    ("on_cancel", |ctx| {
        Box::pin(async move {
            ctx.clone().on_cancel(async move {
                ctx.progress().message("cleaned up");
            });
        })
    }),
    ("spawn_blocking", |ctx| {
        Box::pin(async move {
            let on_thread = ctx.clone();
            ctx.spawn_blocking(move |token| {
                assert!(token.is_cancelled(), "it is told to stop at once");
                on_thread.progress().inc(1);
            })
            .await;
        })
    }),
];

const OF_ITEMS: Uses<u32> = &[
    ("emit", |ctx| Box::pin(async move { ctx.emit(1).await })),
    ("try_emit", |ctx| {
        Box::pin(async move { assert_eq!(ctx.try_emit(1).await.unwrap_err().kind, ErrorKind::Stopped) })
    }),
    ("blocking_emit", |ctx| Box::pin(async move { assert_eq!(ctx.blocking_emit(1), Err(Stopped)) })),
];

const OF_BYTES: Uses<Bytes> = &[
    ("emit_bytes", |ctx| Box::pin(async move { ctx.emit_bytes([1]).await })),
    ("try_emit_bytes", |ctx| {
        Box::pin(async move {
            for bytes in [&[1][..], &[]] {
                assert_eq!(ctx.try_emit_bytes(bytes).await.unwrap_err().kind, ErrorKind::Stopped);
            }
        })
    }),
    ("blocking_emit_bytes", |ctx| {
        Box::pin(async move {
            for bytes in [&[1][..], &[]] {
                assert_eq!(ctx.blocking_emit_bytes(bytes), Err(Stopped));
            }
        })
    }),
];

const OF_REPORTER: Uses<u32> = &[
    ("unit", |ctx| {
        Box::pin(async move {
            ctx.progress().unit(Unit::Bytes);
        })
    }),
    ("total", |ctx| {
        Box::pin(async move {
            ctx.progress().total(9);
        })
    }),
    ("inc", |ctx| {
        Box::pin(async move {
            ctx.progress().inc(3);
        })
    }),
    ("set", |ctx| {
        Box::pin(async move {
            ctx.progress().set(8);
        })
    }),
    ("message", |ctx| {
        Box::pin(async move {
            ctx.progress().message("left over");
        })
    }),
    ("detail", |ctx| {
        Box::pin(async move {
            ctx.progress().detail("left over".to_owned()).detail("x".repeat(5_000));
        })
    }),
    ("try_detail", |ctx| {
        Box::pin(async move {
            let refused = ctx.progress().try_detail("left over".to_owned()).unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Stopped);
            assert!(refused.message.contains("attempt"), "{refused}");
        })
    }),
];

/// Returns the names of the public functions in the source of a type.
fn public_functions(source: &str) -> BTreeSet<&str> {
    let functions = source.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub async fn "))
    });
    functions.filter_map(|function| function.split(['(', '<']).next()).collect()
}

fn names<I>(uses: Uses<I>) -> impl Iterator<Item = &'static str> {
    uses.iter().map(|(name, _)| *name)
}

#[test]
fn every_method_of_a_context_is_in_these_tests() {
    let of_context: BTreeSet<_> = names(OF_ANY).chain(names(OF_ITEMS)).chain(names(OF_BYTES)).collect();
    assert_eq!(of_context, public_functions(include_str!("../context/mod.rs")));
    let of_reporter: BTreeSet<_> = names(OF_REPORTER).collect();
    assert_eq!(of_reporter, public_functions(include_str!("../context/progress_reporter.rs")));
}

/// What the handler itself has reported.
fn reported(progress: &Progress) -> (u64, Option<u64>, Unit, Option<&str>, Option<&str>) {
    let detail = progress.detail.as_ref().map(crate::Json::text);
    (progress.completed, progress.total, progress.unit, progress.message.as_deref(), detail)
}

/// A task whose first attempt is over, with a context of that attempt.
struct LeftOver<I> {
    _tasks: TaskManager,
    task: TaskHandle,
    record: Arc<Record>,
    ctx: TaskContext<String, I>,
    watcher: Arc<ChangeSet<Record>>,
    /// Lets the second attempt end.
    goes_on: Arc<Notify>,
}

impl<I: 'static> LeftOver<I> {
    /// The first attempt fails after a second, the second one begins 10 s after that and completes when it is told to.
    async fn new() -> Self {
        let (kept, goes_on) = (Arc::<Mutex<Option<_>>>::default(), Arc::<Notify>::default());
        let (keeps, waits) = (Arc::clone(&kept), Arc::clone(&goes_on));
        let retry = Retry::attempts(2).backoff(Backoff::constant(secs(10)));
        let policy = Policy { retry: Some(retry), ..Policy::default() };
        let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext<String, I>, (): ()| {
            let (keeps, waits) = (Arc::clone(&keeps), Arc::clone(&waits));
            async move {
                let attempt = ctx.attempt();
                ctx.progress().set(u64::from(attempt)).total(4).unit(Unit::Files).message(format!("attempt {attempt}"));
                ctx.progress().detail(format!("detail {attempt}"));
                if attempt == 1 {
                    sleep(secs(1)).await;
                    *keeps.lock() = Some(ctx);
                    return Err(Failure::new("no"));
                }
                waits.notified().await;
                Ok(())
            }
        });
        let tasks = manager([kind], Settings::default());
        let task = tasks.start("a", ()).unwrap();
        let record = tasks.engine.find(task.id()).unwrap();
        let watcher = Arc::<ChangeSet<Record>>::default();
        record.add_watcher(&watcher);
        sleep(secs(2)).await;
        let ctx = kept.lock().take().unwrap();
        Self { _tasks: tasks, task, record, ctx, watcher, goes_on }
    }

    /// Uses the context in each phase of the task after its first attempt. Then nothing of the task has changed, and
    /// nobody was told anything.
    async fn changes_nothing(self, name: &str, leftover: impl Fn(TaskContext<String, I>) -> BoxFuture<'static, ()>) {
        for status in [TaskStatus::Retrying, TaskStatus::Running, TaskStatus::Completed] {
            match status {
                TaskStatus::Running => sleep(secs(10)).await,
                TaskStatus::Completed => {
                    self.goes_on.notify_one();
                    settle().await;
                }
                _ => {}
            }
            assert_eq!(self.task.status(), status);
            let before = self.task.snapshot();
            let attempt = if status == TaskStatus::Retrying { 1 } else { 2 };
            let message = format!("attempt {attempt}");
            let detail = format!("\"detail {attempt}\"");
            let its_own = (attempt, Some(4), Unit::Files, Some(&*message), Some(&*detail));
            assert_eq!(reported(&before.progress), its_own, "before {name} while {status:?}");
            self.watcher.take();

            leftover(self.ctx.clone()).await;
            settle().await;

            let after = self.task.snapshot();
            assert_eq!(reported(&after.progress), its_own, "{name} while {status:?}");
            assert_eq!((after.status, after.attempt), (before.status, before.attempt), "{name} while {status:?}");
            assert!(self.watcher.take().is_empty(), "{name} while {status:?} tells the watchers");
        }
        let chunk = self.record.items().read(ask("r", 1)).await.unwrap();
        assert!(chunk.done && chunk.data().is_empty(), "{name} emits nothing");
        assert!(matches!(self.task.outcome().await, Outcome::Completed { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_context_of_an_attempt_that_is_over_changes_nothing() {
    for (name, leftover) in OF_ANY.iter().chain(OF_ITEMS).chain(OF_REPORTER) {
        LeftOver::new().await.changes_nothing(name, leftover).await;
    }
    for (name, leftover) in OF_BYTES {
        LeftOver::new().await.changes_nothing(name, leftover).await;
    }
}

/// How a leftover reports a text.
type Reports = fn(&TaskContext<Slow>, Slow);

/// A text that takes until somebody lets it go.
struct Slow {
    text: String,
    begun: mpsc::Sender<()>,
    goes_on: Mutex<mpsc::Receiver<()>>,
}

impl AsRef<str> for Slow {
    fn as_ref(&self) -> &str {
        self.begun.send(()).unwrap();
        self.goes_on.lock().recv().unwrap();
        &self.text
    }
}

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_ref())
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_begun_before_the_end_of_its_attempt_does_not_reach_the_next_one() {
    let ways: [(&str, Reports); 3] = [
        ("message", |ctx, text| {
            ctx.progress().message(text);
        }),
        ("detail", |ctx, text| {
            ctx.progress().detail(text);
        }),
        ("try_detail", |ctx, text| {
            assert_eq!(ctx.progress().try_detail(text).unwrap_err().kind, ErrorKind::Stopped);
        }),
    ];
    for (name, way) in ways {
        let (begun, begins) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel();
        let text =
            Arc::new(Mutex::new(Some(Slow { text: "left over".to_owned(), begun, goes_on: Mutex::new(goes_on) })));
        let thread = Arc::<Mutex<Option<thread::JoinHandle<()>>>>::default();
        let (begins, leftover) = (Arc::new(Mutex::new(begins)), Arc::clone(&thread));
        let policy = Policy { retry: Some(Retry::attempts(2)), ..Policy::default() };
        let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext<Slow>, (): ()| {
            let (text, begins, leftover) = (text.lock().take(), Arc::clone(&begins), Arc::clone(&leftover));
            async move {
                let Some(text) = text else { return std::future::pending::<Result<(), Failure>>().await };
                *leftover.lock() = Some(thread::spawn(move || way(&ctx, text)));
                begins.lock().recv().unwrap();
                Err(Failure::new("no"))
            }
        });
        let tasks = manager([kind], Settings::default());
        let task = tasks.start("a", ()).unwrap();
        sleep(secs(60)).await;
        assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Running, 2), "{name}");
        go_on.send(()).unwrap();
        thread.lock().take().unwrap().join().unwrap();
        assert_eq!(reported(&task.snapshot().progress), (0, None, Unit::None, None, None), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_has_left_gives_no_sign_of_life_of_a_later_one() {
    let policy = Policy { stall_timeout: Some(secs(8)), retry: Some(Retry::attempts(2)), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        if ctx.attempt() == 1 {
            tokio::spawn(async move {
                loop {
                    sleep(secs(1)).await;
                    ctx.progress().inc(1);
                    ctx.emit(1).await;
                }
            });
            return Err(Failure::new("no"));
        }
        std::future::pending::<Result<(), Failure>>().await
    });
    let task = manager([kind], Settings::default()).start("a", ()).unwrap();
    let Ok(outcome) = tokio::time::timeout(secs(60), task.outcome()).await else { panic!("it never stalls") };
    assert!(matches!(outcome, Outcome::TimedOut { limit: TimeLimit::Stalled, .. }), "{outcome:?}");
    assert_eq!((task.snapshot().attempt, task.snapshot().progress.completed), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_still_reports() {
    let tasks = manager([], Settings::default());
    let task = tasks.spawn("cleans up", async |ctx: TaskContext| {
        let cleans = ctx.clone();
        ctx.on_cancel(async move {
            cleans.progress().message("removed what was half done");
        });
        std::future::pending::<Result<(), Failure>>().await
    });
    settle().await;
    tasks.cancel(task.id()).unwrap();
    task.outcome().await;
    assert_eq!(task.snapshot().progress.message.as_deref(), Some("removed what was half done"));
}
