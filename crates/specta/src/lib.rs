//! Writes the TypeScript types of the tasks of an app that uses
//! [tauri-plugin-tasks](https://docs.rs/tauri-plugin-tasks), for its client `createTasks<Tasks>()`.
//!
//! It is for a test of the app. Add it and specta to the `[dev-dependencies]`, so that neither is in the app itself, derive
//! `specta::Type` for the types of the tasks with `#[cfg_attr(test, derive(specta::Type))]`, and add this test to the crate
//! that has them:
//!
//! ```
//! # use tauri_plugin_tasks::{Builder, Never, Task, TaskContext};
//! # async fn greet(_: TaskContext, name: String) -> Result<String, Never> { Ok(name) }
//! # /*
//! #[test]
//! # */
//! fn the_types_of_the_page_are_those_of_the_tasks() {
//!     tauri_plugin_tasks_specta::TypeScript::new(&tasks::<tauri::test::MockRuntime>())
//!         .task("greet", greet)
//!         .assert_current("../src/tasks.gen.ts");
//! }
//!
//! /// Registers the tasks of the app, for the app and for the test.
//! fn tasks<R: tauri::Runtime>() -> Builder<R> {
//!     Builder::new().task(Task::new("greet", greet))
//! }
//! ```
//!
//! `UPDATE_BINDINGS=1 cargo test` writes the file. Without `UPDATE_BINDINGS` the test fails when the file is not what the
//! Rust code says.
//!
//! # Which specta
//!
//! This crate pins one set of release candidates: specta `=2.0.0-rc.26`, specta-serde and specta-typescript `=0.0.13`. Cargo
//! allows one specta 2 in an app, so a host's own `specta = "2.0.0-rc.26"` is the same one, and a host that uses
//! tauri-specta takes its `=2.0.0-rc.26`.

mod columns;
mod error;
mod file;
mod names;
mod placeholders;
mod rename;
mod task_map;
mod typescript;
mod walk;

pub use error::TypeScriptError;
pub use specta_typescript::Number;
pub use typescript::TypeScript;
