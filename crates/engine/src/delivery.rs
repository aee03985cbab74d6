//! What a delivery layer needs of the engine beside its public API. Exempt from semver: this module changes with
//! `tauri-plugin-tasks`, the delivery layer that it is made for.
//!
//! A delivery layer serves callers outside this process. It takes their calls and tells them what changes.
//!
//! - **[`engine`]** returns the [`Engine`] of a manager. Its starts take an id, an owner and a check of which tasks the
//!   caller may join. The engine checks no other rights: check them before the call.
//! - **Records.** A [`Record`] is one task, shared by all who refer to it. It is cheap to hold, and outlives the
//!   engine's own memory of the task.
//! - **Change sets.** A [`ChangeSet`] collects the tasks that have changed since it was last read: one task
//!   ([`Record::add_watcher`]) or all of them ([`Engine::watch_all`]). It holds one entry per changed task, however
//!   slow its reader is. The changes themselves are found by comparison. A [`Cursor`] follows one task: it returns each
//!   status change in order, and the newest progress before the end. A [`Told`] stands for what a list was told about a
//!   task.
//! - **Claims.** A [`Follower`] is a claim to report a task's failure. While a claim exists, the engine doesn't log the
//!   failure. If the last claim is dropped before the failure was reported, the engine logs it.
//! - **Owners.** An [`Owner`] says whose a task is. The engine compares owners and shows their labels, nothing else.
//! - **Refusals.** [`refusal`] returns the facts behind an error of the engine, so that a delivery layer can word it
//!   itself.
//! - **Locks.** A [`Lock`] has a rank in the order in which locks are taken. Those before [`FIRST`] are free: the locks
//!   of a delivery layer are taken before the engine's.

use std::sync::Arc;

use crate::{Error, ErrorKind, Json, Schedule, TaskManager, TaskSnapshot, leave::lost};

pub use crate::{
    clock::unix_millis,
    error::refusal::Refusal,
    items::{
        buffer::{Ask, Batch, ReadRefusal, WINDOW},
        stream::ItemStream,
    },
    json::Misfit,
    keep::registry::Spent,
    lock::{FIRST, Guard, Lock, Rank},
    policy::{Policy, item_buffer::Bounds},
    record::{
        Kind, Record,
        cursor::Cursor,
        follower::Follower,
        told::{Look, Told},
    },
    run::{
        engine::{Engine, Kinds, Settings},
        handler::Errors,
        start::{Start, StartBatch},
    },
    task::{id::IdMap, owner::Owner},
    watch::change_set::ChangeSet,
};

/// Makes a manager of these kinds that runs its tasks on `runtime`. `clock` returns the wall-clock time in milliseconds
/// since 1970.
pub fn manager(
    runtime: tokio::runtime::Handle,
    kinds: Kinds,
    settings: Settings,
    clock: impl Fn() -> u64 + Send + Sync + 'static,
) -> TaskManager {
    TaskManager::with_kinds(runtime, kinds, settings, clock)
}

/// Returns the engine behind a manager, for callers whose rights were checked.
pub fn engine(tasks: &TaskManager) -> &Arc<Engine> {
    &tasks.engine
}

/// Makes an error of the delivery layer's own.
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into(), data: None, refusal: None }
}

/// Returns the facts behind an error, if the engine made it.
pub fn refusal(error: &Error) -> Option<&Refusal> {
    error.refusal.as_deref()
}

/// Reads a JSON text. The error says which part of it doesn't fit.
pub fn read_exactly<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T, Misfit> {
    json.read_exactly()
}

/// Writes an input as JSON. Fails when its `Serialize` does.
pub fn to_json(input: &impl serde::Serialize) -> Result<Json, Error> {
    Json::new(input).map_err(|problem| Error::unserializable("the input", &problem))
}

// Schedules.

/// Adds a schedule that begins with [`begin_schedules`].
pub fn put_schedule(tasks: &TaskManager, name: &str, task: &str, input: Json, schedule: Schedule) -> Result<(), Error> {
    tasks.put_schedule(name, task, input, schedule)
}

/// Begins the schedules that were added before the app was ready.
pub fn begin_schedules(tasks: &TaskManager) {
    tasks.begin_schedules();
}

/// Returns the kind that the schedule of this name runs.
pub fn task_of_schedule(tasks: &TaskManager, name: &str) -> Option<String> {
    tasks.task_of_schedule(name)
}

/// Starts a run beside the timetable. `id` becomes the id of the run if one is started; a repeated call with the same
/// id returns the same run. `may` says which kinds the caller may use.
pub fn trigger(
    tasks: &TaskManager,
    name: &str,
    id: crate::TaskId,
    may: &dyn Fn(&str) -> bool,
) -> Result<Follower, Error> {
    tasks.trigger_for(name, id, may)
}

// The exit.

/// Returns the tasks that an exit would cut short now, oldest first.
pub fn would_be_lost(tasks: &TaskManager) -> Vec<TaskSnapshot> {
    lost::would_be_lost(&tasks.engine).iter().map(|record| record.snapshot()).collect()
}

/// Returns whether an exit has nothing to wait for.
pub fn is_idle(tasks: &TaskManager) -> bool {
    lost::is_idle(&tasks.engine)
}

/// Waits until every task that an exit would cut short has ended, however long that takes. From now on new starts are
/// refused.
pub async fn finish(tasks: &TaskManager) {
    lost::finish(&tasks.engine).await;
}
