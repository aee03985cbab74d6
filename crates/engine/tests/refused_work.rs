//! Starts that do not take place drop their work without harm to the caller, whatever the reason for the refusal.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use serde::Deserialize;
use tauri_plugin_tasks_engine::{
    BatchOptions, Error, ErrorKind, Failure, Json, OnConflict, StartOptions, TaskContext, TaskId, TaskManager,
    delivery::{Errors, Kind, Owner, Policy, Settings, Start, engine},
    test::{log::Log, manager},
};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// An input that panics when it is dropped unused.
#[derive(Deserialize)]
struct Touchy {
    #[serde(skip)]
    used: bool,
}

impl Drop for Touchy {
    fn drop(&mut self) {
        if !self.used {
            DROPPED.fetch_add(1, SeqCst);
            panic!("dropped unused");
        }
    }
}

/// A manager of a kind whose tasks never end. One of them may run, and none may wait.
fn tasks() -> TaskManager {
    let policy = Policy { concurrency: Some(1), queue_limit: Some(0), ..Policy::default() };
    let hang = Kind::new("hang", policy, Errors::default(), async |_: TaskContext, mut input: Touchy| {
        input.used = true;
        std::future::pending::<Result<(), Failure>>().await
    });
    manager([hang], Settings::default())
}

fn keyed(on_conflict: OnConflict) -> StartOptions {
    StartOptions::new().key("k", on_conflict)
}

/// Starts a task and checks that its input was dropped, and that only the log shows the panic. Returns the error of the
/// start.
fn dropped<T>(start: impl FnOnce() -> Result<T, Error>) -> Option<ErrorKind> {
    let log = Log::capture();
    let before = DROPPED.load(SeqCst);
    let kind = start().err().map(|error| error.kind);
    assert!(DROPPED.load(SeqCst) > before, "its input was not read, so this test proves nothing");
    assert!(log.count("(while it was dropped)") > 0, "{log:?}");
    kind
}

#[tokio::test(start_paused = true)]
async fn a_refused_start_returns_its_error_even_if_its_input_panics_when_it_is_dropped() {
    let input = || serde_json::json!({});
    let tasks = tasks();
    let running = tasks.start_with("hang", input(), keyed(OnConflict::Refuse)).unwrap();
    tokio::task::yield_now().await;

    assert_eq!(dropped(|| tasks.start("hang", input())), Some(ErrorKind::QueueFull));
    let refuse = || tasks.start_with("hang", input(), keyed(OnConflict::Refuse));
    assert_eq!(dropped(refuse), Some(ErrorKind::KeyTaken));
    let hidden = || {
        let (id, task, input) = (TaskId::new(), "hang", Json::new(&input()).unwrap());
        let options = keyed(OnConflict::Join);
        engine(&tasks).start(Start { id, task, input, owner: Owner::App, options, sees: &|_| false })
    };
    assert_eq!(dropped(hidden), Some(ErrorKind::KeyTaken));
    let join = || tasks.start_with("hang", input(), keyed(OnConflict::Join));
    assert_eq!(dropped(join), None, "it gets the task that exists");
    let batch = || tasks.batch("hang", [input(), input()], BatchOptions::new());
    assert_eq!(dropped(batch), Some(ErrorKind::QueueFull));

    let guard = tasks.guard();
    assert_eq!(dropped(|| tasks.start("hang", input())), Some(ErrorKind::ShuttingDown));
    drop(guard);
    assert!(!running.status().is_final());
    tasks.shut_down(Duration::from_secs(1)).await;
    assert_eq!(dropped(|| tasks.start("hang", input())), Some(ErrorKind::ShuttingDown));
}
