//! The test kit: it runs a handler without an app, and reports what the handler did.
//!
//! A [`TestTask`] runs any handler, on the engine that runs it in an app. The [`TestRun`] is the handler at work, which the
//! test can read, cancel and let time pass for. In the [`TestReport`] is everything that it did, with its own types.
//!
//! It is behind the feature `test`: turn that on in `[dev-dependencies]` only.
//!
//! ```
//! # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
//! use std::time::Duration;
//! use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
//!
//! async fn upload(ctx: TaskContext<(), String>, files: Vec<String>) -> Result<usize, Failure> {
//!     let list = std::env::temp_dir().join(format!("upload-{}.txt", ctx.id()));
//!     let removed = list.clone();
//!     ctx.on_cancel(async move {
//!         let _ = std::fs::remove_file(removed);
//!     });
//!     std::fs::write(&list, files.join("\n"))?;
//!     ctx.progress().total(files.len() as u64);
//!     for file in &files {
//!         tokio::time::sleep(Duration::from_secs(60)).await; // a slow connection
//!         ctx.emit(file.clone()).await;
//!         ctx.progress().inc(1);
//!     }
//!     Ok(files.len())
//! }
//!
//! # macro_rules! shown { ($($test:tt)*) => {} }
//! # shown! {
//! #[tokio::test(start_paused = true)]
//! # }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() { a_cancelled_upload_is_cleaned_up().await }
//! async fn a_cancelled_upload_is_cleaned_up() {
//!     let mut run = TestTask::new(upload).start(["a", "b", "c"]).unwrap();
//!     let list = std::env::temp_dir().join(format!("upload-{}.txt", run.snapshot().id));
//!     assert_eq!(run.next_item().await.as_deref(), Some("a"));
//!     assert!(list.exists());
//!     run.cancel(CancelReason::User);
//!
//!     let report = run.finish().await;
//!     assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
//!     assert_eq!(report.progress.last().unwrap().completed, 1);
//!     assert!(!list.exists(), "the clean-up has removed it");
//!     assert_eq!(report.elapsed, Duration::from_secs(60)); // of paused time: the test takes none
//! }
//! ```
//!
//! In paused time, a test that lets an hour pass takes no time: see [Time](TestTask#time).
//!
//! # The rules of the app
//!
//! A kind that a crate registers with `Task` is tested with [`TestTask::of`], and with the very rules of the app if a
//! function sets them that both call: the module `test` of that crate shows one.
#![cfg_attr(docsrs, doc(cfg(feature = "test")))]

mod gate;
mod notes;
mod report;
mod run;
mod task;

#[doc(hidden)]
pub mod clocks;
#[cfg(any(test, feature = "__test"))]
#[doc(hidden)]
pub mod items;
#[cfg(any(test, feature = "__test"))]
#[doc(hidden)]
pub mod log;
#[doc(hidden)]
pub mod test_clock;

use std::{collections::HashMap, sync::Arc};

use tokio::{runtime::Handle, time::Instant};

use crate::{
    TaskManager,
    clock::Clocks,
    record::Kind,
    run::{engine::Settings, runtimes::Runtimes},
};

pub use clocks::TestMachine;
pub use report::{TestOutcome, TestProgress, TestReport};
pub use run::TestRun;
pub use task::{IntoTestTask, TestTask};

/// Makes a manager of these kinds on the test's runtime. Its wall clock starts at 0 and follows tokio's.
#[doc(hidden)]
pub fn manager(kinds: impl IntoIterator<Item = Kind>, settings: Settings) -> TaskManager {
    let begin = Instant::now();
    let clock = move || u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    manager_with(kinds, settings, Clocks::of_tokio(clock))
}

/// Makes a manager of these kinds on the test's runtime, which reads `clocks`.
#[doc(hidden)]
pub fn manager_with(kinds: impl IntoIterator<Item = Kind>, settings: Settings, clocks: Clocks) -> TaskManager {
    let kinds: HashMap<_, _> = kinds.into_iter().map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
    TaskManager::with_kinds(Runtimes::one(Handle::current()), kinds, settings, clocks)
}
