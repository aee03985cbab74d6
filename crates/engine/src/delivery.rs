//! The parts of the engine that a delivery layer needs in addition to the public API. Exempt from semver: this module
//! changes together with the plugin, which is the delivery layer that it is made for.
//!
//! A delivery layer serves callers outside this process. It makes their calls for them and notifies them of changes.
//!
//! - **[`engine`]** returns the [`Engine`] of a manager. A [`Start`] has an id, an owner and a callback that says which
//!   tasks the caller may join or replace. The engine checks no other rights: check them before the call.
//! - **Records.** A [`Record`] is one task, shared by everything that refers to it. It is cheap to hold, and remains
//!   valid after the engine has forgotten the task.
//! - **Change sets.** A [`ChangeSet`] collects the tasks that have changed since it was last read. It watches single
//!   tasks ([`Record::add_watcher`]) or all of them ([`Engine::watch_all`]). It holds one entry per changed task,
//!   however slow its reader is, and doesn't say what has changed. To find that out, compare the task with a [`Cursor`]
//!   or a [`Told`]. A cursor follows one task: it returns each status change in order, and the newest progress before
//!   the end. A `Told` is what a list was last told about a task.
//! - **Claims.** A [`Follower`] is a claim to report a task's failure. While a claim exists, the engine doesn't log the
//!   failure. If the last claim is dropped before the failure was reported, the engine logs it.
//! - **Owners.** An [`Owner`] says who owns a task. The engine compares owners, shows their labels and does nothing
//!   else with them.
//! - **Shares.** Each call that starts or joins a task has a share in it, until [`Engine::leave`] gives it back or its
//!   holder is gone ([`Engine::disown`]). Whoever has a share may be told of the task: see [`Record::tells`]. Only its
//!   owner may do more.
//! - **Accounts.** A call that is made on an [`Account`] counts against its [`Quotas`]. What it starts is charged to the
//!   account until it has left the engine or its owner is gone.
//! - **Refusals.** [`refusal`] returns the facts behind an error of the engine, so that a delivery layer can word it
//!   itself.
//! - **The log.** [`logged`] makes a text fit for it.
//! - **Locks.** A [`Lock`] has a rank in the order in which locks are taken. The ranks before [`FIRST`] are for the
//!   delivery layer, whose locks are taken before the engine's. [`assert_holds_no_lock`] guards what may wait.

use std::sync::Arc;

use crate::{
    CancelReason, Error, ErrorKind, Json, Schedule, TaskManager, TaskSnapshot,
    exit::{lost, shut_down},
    record::snapshot::snapshots,
    schedule::driver::Triggerer,
};

pub use crate::{
    changes::{change_set::ChangeSet, filter::Matcher},
    clock::{Clocks, awake_time::AwakeTime, wall_clock::unix_millis},
    error::refusal::Refusal,
    exit::shut_down::LONGEST_GRACE,
    items::{
        buffer::{Ask, Chunk, ReadRefusal, WINDOW},
        stream::ItemStream,
    },
    json::Misfit,
    keep::used_ids::Spent,
    lock::{FIRST, Guard, Lock, Rank, assert_holds_no_lock},
    logged::logged,
    policy::{
        Policy,
        item_buffer::Bounds,
        mistake::{Emits, HandlerTraits},
    },
    quota::{accounts::Account, quotas::Quotas},
    record::{
        Kind, Record,
        cursor::Cursor,
        follower::Follower,
        shares::Shares,
        told::{Look, Told},
    },
    run::{
        engine::{Engine, Kinds, Settings, is_cancelled_without_owner},
        handler::Errors,
        runtimes::Runtimes,
        start::{BATCH_LIMIT, Start, StartBatch},
    },
    task::{id::IdMap, owner::Owner},
};

/// Creates a manager with these registered kinds, which runs on `runtimes` and reads `clocks`.
///
/// ```
/// use std::sync::Arc;
/// use tauri_plugin_tasks_engine::{
///     Failure, TaskContext,
///     delivery::{Clocks, Errors, Kind, Kinds, Policy, Runtimes, Settings, manager},
/// };
/// use tokio::runtime::Handle;
///
/// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
///     Ok(number * 2)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let kind = Kind::new("double", Policy::default(), Errors::default(), double);
/// let kinds = Kinds::from([(Arc::clone(&kind.name), Arc::new(kind))]);
/// let tasks = manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_system());
/// assert_eq!(tasks.start("double", 21).unwrap().outcome().await.output::<u32>().unwrap(), Some(42));
/// # }
/// ```
pub fn manager(runtimes: Runtimes, kinds: Kinds, settings: Settings, clocks: Clocks) -> TaskManager {
    TaskManager::with_kinds(runtimes, kinds, settings, clocks)
}

/// Returns the engine of a manager. Check the caller's rights before you use it.
pub fn engine(tasks: &TaskManager) -> &Arc<Engine> {
    &tasks.engine
}

/// Creates an error that comes from the delivery layer itself.
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into(), data: None, refusal: None }
}

/// Returns the facts behind an error, if the engine made it.
pub fn refusal(error: &Error) -> Option<&Refusal> {
    error.refusal.as_deref()
}

/// Deserializes JSON as a `T`. The error says which part of it doesn't fit.
pub fn read_exactly<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T, Misfit> {
    json.read_exactly()
}

/// Serializes an input as JSON. Fails as [`Json::new`] does.
pub fn to_json(input: &impl serde::Serialize) -> Result<Json, Error> {
    Json::new(input).map_err(|problem| Error::unserializable("the input", &problem))
}

/// Returns the reason of a caller who cancels a task with these words; `user` is the one without words. Fails if the words
/// are any other reason of the engine.
pub fn reason_of_caller(words: &str) -> Result<CancelReason, Error> {
    CancelReason::of_caller(words)
}

// Schedules.

/// Adds a schedule, or replaces the one of this name. It takes effect at [`begin_schedules`]. Fails as
/// [`TaskManager::schedule`] does.
pub fn put_schedule(tasks: &TaskManager, name: &str, task: &str, input: Json, schedule: Schedule) -> Result<(), Error> {
    tasks.put_schedule(name, task, input, schedule)
}

/// Begins the schedules that were added with [`put_schedule`].
pub fn begin_schedules(tasks: &TaskManager) {
    tasks.begin_schedules();
}

/// Returns the name of the kind that this schedule runs, or `None` if there is no such schedule.
pub fn task_of_schedule(tasks: &TaskManager, name: &str) -> Option<String> {
    tasks.task_of_schedule(name)
}

/// Starts a run now, outside the timetable, as [`TaskManager::trigger`] does. If a run is started, its id is `id`. A
/// repeated call with the same id returns the same run. `may` says which kinds the caller may use. The app
/// owns the run. `owner` gets a share in it, and it is charged to `account`.
pub fn trigger(
    tasks: &TaskManager,
    owner: &Owner,
    account: Account,
    name: &str,
    id: crate::TaskId,
    may: &dyn Fn(&str) -> bool,
) -> Result<Follower, Error> {
    tasks.trigger_for(Some(Triggerer { owner, account }), name, id, may)
}

// The exit.

/// Returns the tasks that an exit now would cut short, oldest first.
pub fn would_be_lost(tasks: &TaskManager) -> Vec<TaskSnapshot> {
    snapshots(&lost::would_be_lost(&tasks.engine))
}

/// Returns whether an exit has nothing to wait for.
pub fn is_idle(tasks: &TaskManager) -> bool {
    lost::is_idle(&tasks.engine)
}

/// Returns whether an exit now would wait for this task.
pub fn is_awaited(record: &Record) -> bool {
    lost::is_awaited(record)
}

/// Refuses new starts from now on and lets no attempt be followed by another, since the app ends. It ends no task, and the
/// end of the runtimes is no failure any more.
pub fn close(tasks: &TaskManager) {
    shut_down::close(&tasks.engine.transitions);
}

/// Waits until every task that an exit would cut short has ended, however long that takes. From now on new starts are
/// refused. Tasks that the end of no other task lets run are cancelled: those that are held or delayed, and those with a
/// limit that is 0 or taken up by services.
pub async fn finish(tasks: &TaskManager) {
    lost::finish(&tasks.engine).await;
}
