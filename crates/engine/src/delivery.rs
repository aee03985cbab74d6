//! Exempt from semver: this changes with the delivery layer that it is made for, `tauri-plugin-tasks`.
//!
//! A delivery layer brings tasks to somebody who is not in this process: it takes starts and questions in, and tells of what
//! changes. What it needs for that, beside the public API:
//!
//! - **[`engine`]** gives the [`Engine`] of a manager: starts with an id, an owner and a check of who may join whom, and
//!   everything that can be done to a task once the caller's rights are known. The engine checks no rights.
//! - **Records.** A [`Record`] is a task as everybody shares it. It is cheap to hold, and outlives the engine's own memory of
//!   the task.
//! - **Change sets.** A [`ChangeSet`] collects which tasks have changed since it was looked at last: of one task
//!   ([`Record::add_watcher`]) or of all ([`Engine::watch_all`]). It costs one entry a changed task, however slow its reader is.
//!   What is new about a task is found by comparing: a [`Cursor`] follows one task and gives each status change in order with
//!   the newest progress before the end; a [`Told`] stands for what a list was told of a task.
//! - **Claims.** A [`Follower`] is the claim to tell of a task's failure. As long as somebody has one the engine doesn't log
//!   it; whoever drops the last without having told of it leaves that to the engine.
//! - **Owners.** An [`Owner`] says whose a task is. The engine compares owners and shows their labels, nothing else.
//! - **Refusals.** [`refusal`] gives the facts behind an error of the engine, for a layer that knows better words.
//! - **Locks.** A [`Lock`] has a rank in the one order in which locks are taken: [`DELIVERY`] comes before those of the engine.

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
    lock::{DELIVERY, Guard, Lock, Rank},
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

/// A manager of these kinds that runs its tasks on `runtime`. `clock` is the wall clock, in milliseconds since 1970.
pub fn manager(
    runtime: tokio::runtime::Handle,
    kinds: Kinds,
    settings: Settings,
    clock: impl Fn() -> u64 + Send + Sync + 'static,
) -> TaskManager {
    TaskManager::with_kinds(runtime, kinds, settings, clock)
}

/// What the manager's calls are made of, for callers whose rights were checked.
pub fn engine(tasks: &TaskManager) -> &Arc<Engine> {
    &tasks.engine
}

/// An error of the delivery layer's own.
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into(), data: None, refusal: None }
}

/// The facts behind an error, if the engine made it.
pub fn refusal(error: &Error) -> Option<&Refusal> {
    error.refusal.as_deref()
}

/// Reads a JSON text, and says which part of it doesn't fit.
pub fn read_exactly<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T, Misfit> {
    json.read_exactly()
}

/// An input as JSON. Fails when its `Serialize` does.
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

/// The kind that the schedule of this name runs.
pub fn task_of_schedule(tasks: &TaskManager, name: &str) -> Option<String> {
    tasks.task_of_schedule(name)
}

/// Starts a run beside the timetable. `id` is that of the run if one is started; a repeated call with it returns the run of
/// then. Only for kinds that pass `may`.
pub fn trigger(
    tasks: &TaskManager,
    name: &str,
    id: crate::TaskId,
    may: &dyn Fn(&str) -> bool,
) -> Result<Follower, Error> {
    tasks.trigger_for(name, id, may)
}

// The exit.

/// The tasks that an exit now would cut short, oldest first.
pub fn would_be_lost(tasks: &TaskManager) -> Vec<TaskSnapshot> {
    lost::would_be_lost(&tasks.engine).iter().map(|record| record.snapshot()).collect()
}

/// Whether an exit has nothing to wait for.
pub fn is_idle(tasks: &TaskManager) -> bool {
    lost::is_idle(&tasks.engine)
}

/// Waits until everything has ended that an exit would cut short, however long that takes. Nothing new comes in from now on.
pub async fn finish(tasks: &TaskManager) {
    lost::finish(&tasks.engine).await;
}
