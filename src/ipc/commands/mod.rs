//! What a page may ask. A page that reloads runs its calls in flight a second time, so each command can be repeated
//! without harm: a start that was accepted finds its task again, and all others are about what is there.
//!
//! A new command is a function in one of these files and a name in `list.rs`.

mod control;
mod items;
mod names;
mod schedules;
mod session;
mod start;
mod tasks;
mod waits;

pub(crate) use control::*;
pub(crate) use items::*;
pub(crate) use schedules::*;
pub(crate) use session::*;
pub(crate) use start::*;
pub(crate) use tasks::*;

macro_rules! handler {
    ($($command:ident),*) => { tauri::generate_handler![$($command),*] };
}

/// Runs the commands.
pub(crate) fn handler<R: tauri::Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool + Send + Sync + 'static {
    all_commands!(handler)
}
