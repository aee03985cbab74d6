//! The test kit.
//!
//! With the feature `test` it runs a handler without an app, on the engine that apps run on and in tokio's paused time.
//! Turn it on in `[dev-dependencies]` only.

pub use tauri_plugin_tasks_engine::test::clocks::TestMachine;
