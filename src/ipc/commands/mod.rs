//! The commands. A page that reloads repeats its calls in flight, so each command must be idempotent: a repeated start
//! returns the task that the first one started, and all other commands act on what exists.
//!
//! A new command is a function in one of these files and a name in `all_commands.rs`.

mod control;
mod items;
mod longest_wait;
mod name_limit;
mod schedules;
mod session;
mod start;
mod tasks;

pub(crate) use control::*;
pub(crate) use items::*;
pub(crate) use schedules::*;
pub(crate) use session::*;
pub(crate) use start::*;
pub(crate) use tasks::*;

use super::arrival;

macro_rules! handler {
    ($($command:ident),*) => { tauri::generate_handler![$($command),*] };
}

/// Returns the handler of all commands.
pub(crate) fn handler<R: tauri::Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool + Send + Sync + 'static {
    |invoke| arrival::handle(invoke, all_commands!(handler))
}
