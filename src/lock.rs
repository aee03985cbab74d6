//! The order in which the plugin takes its locks. A debug build panics when a thread breaks it.
//!
//! A thread that holds a lock may take only locks further down, and those of the engine, which come after all of these.
//! See [`Lock`].
//!
//! | rank | what it guards |
//! | --- | --- |
//! | [`HANDLERS_RUNTIME`] | the runtime that the plugin has made for handlers |
//! | [`SERVICES`] | the services that have not started yet |
//! | [`PHASE`] | how far the exit has come |
//! | [`CODE`] | the exit code of a held exit |
//! | [`WAITING`] | the channel that wakes the waiting main thread |
//! | [`REQUESTED_END`] | whether the event loop is about to end because an exit was requested |
//! | [`WINDOWS`] | the windows of the app |
//! | [`PAGES`] | which webviews there are |
//! | [`SESSIONS`] | the names of all sessions |
//! | [`REPEATS`] | the channels of a session that was opened again |
//! | [`READERS`] | the readers of a session |
//! | [`OUTBOX`] | what a session still has to push |
//! | [`IDLE_ENTRIES`] | which scope entries the log has named |

use tauri_plugin_tasks_engine::delivery::{FIRST, Rank};

pub(crate) use tauri_plugin_tasks_engine::delivery::Lock;

pub(crate) const HANDLERS_RUNTIME: Rank = 0;
pub(crate) const SERVICES: Rank = 1;
pub(crate) const PHASE: Rank = 2;
pub(crate) const CODE: Rank = 3;
pub(crate) const WAITING: Rank = 4;
pub(crate) const REQUESTED_END: Rank = 5;
pub(crate) const WINDOWS: Rank = 6;
pub(crate) const PAGES: Rank = 7;
pub(crate) const SESSIONS: Rank = 8;
pub(crate) const REPEATS: Rank = 9;
pub(crate) const READERS: Rank = 10;
pub(crate) const OUTBOX: Rank = 11;
pub(crate) const IDLE_ENTRIES: Rank = 12;

const _: () = assert!(IDLE_ENTRIES < FIRST, "the engine's locks come after those of the plugin");
