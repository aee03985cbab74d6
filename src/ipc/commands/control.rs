//! Commands that control existing tasks and change limits.

use tauri::command;
use tauri_plugin_tasks_engine::delivery::{engine, reason_of_caller};

use super::name_limit::check_name;
use crate::{
    Error, LimitOf, TaskCounts, TaskFilter,
    ipc::{caller::Caller, checked::Checked},
};

/// Tells a task to stop, whoever else has a share in it. `reason` is `user`, or words of the page's own.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel(caller: Caller, id: Checked<String>, reason: Checked<String>) -> Result<(), Error> {
    caller.cancel(&id.0?, reason_of_caller(&reason.0?)?)
}

/// Tells all visible tasks that match `filter` to stop, with a `reason` as for `cancel`. Returns how many of them had not
/// ended.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel_all(
    caller: Caller,
    filter: Checked<TaskFilter>,
    reason: Checked<String>,
) -> Result<u32, Error> {
    let reason = reason_of_caller(&reason.0?)?;
    let cancelled = engine(&caller.tasks).cancel_all(caller.records(&filter.0?), reason);
    Ok(u32::try_from(cancelled).unwrap_or(u32::MAX))
}

/// Keeps a waiting task from running until it is resumed.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn pause(caller: Caller, id: Checked<String>) -> Result<(), Error> {
    engine(&caller.tasks).pause(&caller.find(&id.0?)?)
}

/// Lets a paused task, or one that was started as held, run when its turn comes.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn resume(caller: Caller, id: Checked<String>) -> Result<(), Error> {
    engine(&caller.tasks).resume(&caller.find(&id.0?)?)
}

/// Changes the priority of a waiting task. A higher priority runs earlier.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn set_priority(caller: Caller, id: Checked<String>, priority: Checked<i32>) -> Result<(), Error> {
    let (id, priority) = (id.0?, priority.0?);
    engine(&caller.tasks).set_priority(&caller.find(&id)?, priority)
}

/// Changes how many tasks may run at once, or removes the limit with `null`. The limit applies to the tasks of all
/// owners, so the page must see all tasks of every kind that it covers.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn set_limit(caller: Caller, of: Checked<LimitOf>, limit: Checked<Option<u32>>) -> Result<(), Error> {
    let (of, limit) = (of.0?, limit.0?);
    if let LimitOf::Task(name) | LimitOf::Group(name) = &of {
        check_name(name)?;
    }
    caller.check_limit(&of)?;
    caller.tasks.set_limit(of, limit.map(|limit| limit as usize))
}

/// Returns how many tasks of each kind have each status. Leaves out a kind if the page can't see all of its tasks.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn counts(caller: Caller) -> Result<Vec<TaskCounts>, Error> {
    let is_visible = |counts: &TaskCounts| counts.task.as_ref().is_some_and(|task| caller.sees_all(task));
    Ok(caller.tasks.counts().into_iter().filter(is_visible).collect())
}
