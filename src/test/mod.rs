//! The test kit.
//!
//! With the feature `test` it runs a handler without an app, on the engine that apps run on and in tokio's paused time: see
//! [`TestTask`]. Turn it on in `[dev-dependencies]` only:
//!
//! ```toml
//! [dev-dependencies]
//! tauri-plugin-tasks = { version = "0.1", features = ["test"] }
//! tokio = { version = "1", features = ["macros"] }
//! ```
//!
//! [`TestTask::new`] runs a handler alone, and [`TestTask::of`] a kind with all its rules:
//!
//! ```
//! use std::time::Duration;
//! use tauri_plugin_tasks::{
//!     Failure, Retry, Task, TaskContext,
//!     test::{TestOutcome, TestTask},
//! };
//!
//! async fn download(ctx: TaskContext, url: String) -> Result<u64, Failure> {
//!     ctx.progress().message(&url);
//!     if ctx.attempt() < 3 {
//!         return Err("no connection".into());
//!     }
//!     Ok(512)
//! }
//!
//! # macro_rules! shown { ($($test:tt)*) => {} }
//! # shown! {
//! #[tokio::test(start_paused = true)]
//! # }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() { the_third_attempt_succeeds().await }
//! async fn the_third_attempt_succeeds() {
//!     let download = Task::new("download", download).retry(Retry::attempts(3)).timeout(Duration::from_secs(60));
//!     let report = TestTask::of(download).run("https://example.com").await.unwrap();
//!     assert_eq!(report.outcome, TestOutcome::Completed(512));
//!     assert_eq!(report.attempts, 3);
//! }
//! ```
//!
//! # The rules of the app
//!
//! To test the very rules that the app registers, set them in a function that both call:
//!
//! ```
//! use tauri::Runtime;
//! use tauri_plugin_tasks::{
//!     Builder, Handler, Retry, Task, TaskContext,
//!     test::{TestOutcome, TestTask},
//! };
//!
//! #[derive(Debug, PartialEq, serde::Serialize)]
//! enum SyncError {
//!     Offline,
//!     WrongPassword,
//! }
//!
//! async fn sync(ctx: TaskContext, (): ()) -> Result<(), SyncError> {
//!     Err(if ctx.attempt() == 1 { SyncError::Offline } else { SyncError::WrongPassword })
//! }
//!
//! fn rules<R: Runtime, Form, H>(task: Task<H, R, Form>) -> Task<H, R, Form>
//! where
//!     H: Handler<R, Form, Error = SyncError>,
//! {
//!     task.retry(Retry::attempts(9)).retry_if(|error| *error == SyncError::Offline)
//! }
//!
//! fn tasks<R: Runtime>() -> Builder<R> {
//!     Builder::new().task(rules(Task::new("sync", sync)))
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let report = TestTask::of(rules(Task::new("sync", sync))).run(()).await.unwrap();
//! assert_eq!(report.errors, [SyncError::Offline]);
//! assert_eq!(report.outcome, TestOutcome::Failed(SyncError::WrongPassword));
//! # }
//! ```
//!
//! # With an app
//!
//! A kind whose handler takes the app is tested with [`Task::test_with`](crate::Task::test_with). For paused time, blocking
//! work and real input and output, see [Time](TestTask#time).
//!
//! With the feature `test-app` it also makes an app on Tauri's mock runtime, whose pages call the plugin's commands behind
//! its own permission files and the app's capabilities: see [`TestApp`]. That runtime is another type than the one of the
//! app, so the function that makes the [`Builder`](crate::Builder), and handlers that take an `AppHandle`, must be generic:
//! `fn tasks<R: Runtime>() -> Builder<R>` and `async fn export<R: Runtime>(app: AppHandle<R>, …)`.
#![cfg_attr(docsrs, doc(cfg(feature = "test")))]

#[cfg(feature = "test-app")]
mod app;
mod task;

#[cfg(feature = "test-app")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-app")))]
pub use app::{
    ExitReport, PageError, TaskAtExit, TestApp, TestAppBuilder, TestMessage, TestPage, TestPageBuilder, TestSchedule,
    TestSession, app, until,
};

#[doc(hidden)]
pub use tauri_plugin_tasks_engine::test::IntoTestTask;
pub use tauri_plugin_tasks_engine::test::{TestMachine, TestOutcome, TestProgress, TestReport, TestRun, TestTask};
