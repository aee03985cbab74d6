//! What crosses from a handler is what the handler put into its errors: no `Debug` output, no backtrace, no place in the
//! source and no path beside that.

use std::{any::Any, backtrace::Backtrace, error::Error as StdError, fmt, panic::Location};

use serde::{Serialize, Serializer, ser};
use serde_json::json;

use super::manager;
use crate::{
    BatchOptions, Failure, TaskContext, TaskFilter, TaskHandle, TaskManager,
    delivery::{Errors, Kind, Policy, Settings},
};

/// Is in the `Debug` output of each error here.
const HIDDEN: &str = "/home/jo/secret.rs:7";
/// Is in its `Display` text.
const SHOWN: &str = "the disk is full";

/// An error whose `Debug` output is more than its text.
struct Deep {
    source: Option<Box<Self>>,
    backtrace: Backtrace,
}

impl Deep {
    fn new(depth: u32) -> Self {
        let source = (depth > 0).then(|| Box::new(Self::new(depth - 1)));
        Self { source, backtrace: Backtrace::force_capture() }
    }
}

impl fmt::Debug for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deep at {HIDDEN} {:?} {:?}", self.source, self.backtrace)
    }
}

impl fmt::Display for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl StdError for Deep {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Shows only a part of itself.
#[derive(Debug)]
struct Partly {
    #[allow(dead_code)] // Only `Debug` reads it.
    path: &'static str,
}

impl Serialize for Partly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "code": 28, "reason": SHOWN }).serialize(serializer)
    }
}

impl fmt::Display for Partly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

/// Can't be written, and says why.
#[derive(Debug)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(SHOWN))
    }
}

/// Makes what a handler panics with.
type Payload = fn() -> Box<dyn Any + Send>;

/// Everything that a caller is told of a task that has failed.
async fn told(tasks: &TaskManager, task: TaskHandle) -> String {
    let mut watch = task.watch();
    let mut told = Vec::new();
    while let Some(event) = watch.next().await {
        told.push(serde_json::to_string(&event).unwrap());
    }
    told.push(serde_json::to_string(&task.outcome().await).unwrap());
    told.push(serde_json::to_string(&tasks.list(&TaskFilter::default())).unwrap());
    told.push(task.result().await.unwrap_err().to_string());
    told.join("\n")
}

fn check(told: &str, shown: &str) {
    assert!(told.contains(shown), "{told}");
    // The names of Rust's files, of this machine's folders, and of frames.
    for hidden in
        [HIDDEN, ".rs", "/home/", "/rustc/", env!("CARGO_MANIFEST_DIR"), "tests::hidden", "Backtrace", "Deep {"]
    {
        assert!(!told.contains(hidden), "{hidden} in {told}");
    }
}

#[tokio::test]
async fn a_failure_holds_the_texts_of_its_error_and_its_sources() {
    let missing = || std::fs::read_to_string(HIDDEN).unwrap_err();
    let not_a_number = || "x".parse::<u32>().unwrap_err();
    let no_such_file = missing().to_string();
    let failures: Vec<(Failure, &str)> = vec![
        (Deep::new(0).into(), SHOWN),
        (Deep::new(3).into(), SHOWN),
        (anyhow::Error::new(Deep::new(2)).context("no picture").into(), "no picture"),
        (eyre::Report::new(Deep::new(2)).wrap_err("no picture").into(), "no picture"),
        (Box::<dyn StdError + Send + Sync>::from(Deep::new(1)).into(), SHOWN),
        (std::io::Error::other(Deep::new(1)).into(), SHOWN),
        (missing().into(), &no_such_file),
        (anyhow::Error::new(missing()).context("no picture").into(), &no_such_file),
        (not_a_number().into(), "invalid digit"),
        (serde_json::from_str::<u32>("{").unwrap_err().into(), "at line 1 column"),
    ];
    let tasks = manager([], Settings::default());
    for (failure, shown) in failures {
        let task = tasks.spawn("fails", async move |_: TaskContext| Err::<(), _>(failure));
        check(&told(&tasks, task.untyped()).await, shown);
    }
}

#[tokio::test]
async fn an_error_of_the_handlers_own_holds_its_json_or_its_text() {
    let plain = Errors::<Partly>::default();
    let displayed = Errors { describe: Some(std::sync::Arc::new(|error: &Partly| error.to_string())), retry_if: None };
    let fails = async |_: TaskContext, (): ()| Err::<(), _>(Partly { path: HIDDEN });
    let kinds = [
        Kind::new("plain", Policy::default(), plain, fails),
        Kind::new("displayed", Policy::default(), displayed, fails),
    ];
    let tasks = manager(kinds, Settings::default());
    for name in ["plain", "displayed"] {
        check(&told(&tasks, tasks.start(name, ()).unwrap()).await, SHOWN);
        let batch = tasks.batch(name, [(), ()], BatchOptions::new()).unwrap();
        check(&serde_json::to_string(&batch.outcome().await).unwrap(), SHOWN);
    }
    let unwritable: [TaskHandle; 3] = [
        tasks.spawn("output", async |_: TaskContext| Ok::<_, Failure>(Unwritable)).untyped(),
        tasks.spawn("error", async |_: TaskContext| Err::<(), _>(Unwritable)).untyped(),
        tasks
            .spawn("item", async |ctx: TaskContext<(), Unwritable>| {
                ctx.emit(Unwritable).await;
                Ok::<_, Failure>(())
            })
            .untyped(),
    ];
    for task in unwritable {
        check(&told(&tasks, task).await, SHOWN);
    }
}

#[tokio::test]
async fn a_panic_says_its_message_alone() {
    let here = Location::caller();
    let payloads: [(Payload, &str); 4] = [
        (|| Box::new(SHOWN), SHOWN),
        (|| Box::new(SHOWN.to_owned()), SHOWN),
        (|| Box::new(Deep::new(1)), "no message"),
        (|| Box::new(HIDDEN.as_bytes()), "no message"),
    ];
    let tasks = manager([], Settings::default());
    for (payload, shown) in payloads {
        for blocks in [false, true] {
            let task = tasks.spawn("panics", async move |ctx: TaskContext| {
                if blocks {
                    ctx.spawn_blocking(move |_| std::panic::resume_unwind(payload())).await;
                }
                std::panic::resume_unwind(payload());
                #[allow(unreachable_code)]
                Ok::<(), Failure>(())
            });
            let told = told(&tasks, task.untyped()).await;
            check(&told, shown);
            assert!(!told.contains(here.file()), "{told}");
        }
    }
    // A task of tokio that has panicked is an error like any other.
    let task = tasks.spawn("joins", async |_: TaskContext| {
        tokio::spawn(async { panic!("{SHOWN}") }).await?;
        Ok::<(), Failure>(())
    });
    check(&told(&tasks, task.untyped()).await, SHOWN);
}
