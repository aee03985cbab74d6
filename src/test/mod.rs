//! The test kit.
//!
//! With the feature `test` it runs a handler without an app, on the engine that apps run on and in tokio's paused time.
//! With `test-app` it also makes an app on Tauri's mock runtime, whose pages call the plugin's commands behind its own
//! permission files: see [`TestApp`]. Turn them on in `[dev-dependencies]` only.

#[cfg(feature = "test-app")]
mod acl;
#[cfg(feature = "test-app")]
mod app;
#[cfg(feature = "test-app")]
mod client;
#[cfg(feature = "test-app")]
mod document;
#[cfg(feature = "test-app")]
mod exit;
#[cfg(feature = "test-app")]
mod invoke;
#[cfg(feature = "test-app")]
mod items;
#[cfg(feature = "test-app")]
mod message;
#[cfg(feature = "test-app")]
mod open;
#[cfg(feature = "test-app")]
mod page;
#[cfg(feature = "test-app")]
mod page_error;
#[cfg(feature = "test-app")]
mod patience;
#[cfg(feature = "test-app")]
mod pushed;
#[cfg(feature = "test-app")]
mod running;
#[cfg(feature = "test-app")]
mod schedule;
#[cfg(feature = "test-app")]
mod session;

#[cfg(feature = "test-app")]
pub use self::{
    app::{TestApp, TestAppBuilder, app},
    exit::{ExitReport, TaskAtExit},
    message::TestMessage,
    open::TestPageBuilder,
    page::TestPage,
    page_error::PageError,
    patience::until,
    schedule::TestSchedule,
    session::TestSession,
};
pub use tauri_plugin_tasks_engine::test::clocks::TestMachine;
