//! Commands that return what is known about tasks, and that remove tasks.

use tauri::command;
use tauri_plugin_tasks_engine::delivery::Follower;
use tokio::time::timeout;

use super::longest_wait::LONGEST_WAIT;
use crate::{
    Error, Outcome, TaskFilter, TaskSnapshot,
    ipc::{caller::Caller, checked::Checked},
};

/// Returns the snapshot of a task.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn get(caller: Caller, id: String) -> Result<TaskSnapshot, Error> {
    Ok(caller.find(&id)?.snapshot())
}

/// Returns the snapshots of the visible tasks that match, oldest first.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn list(caller: Caller, filter: Checked<TaskFilter>) -> Result<Vec<TaskSnapshot>, Error> {
    Ok(caller.records(&filter.0?).map(|record| record.snapshot()).collect())
}

/// Waits for a task to end and returns its outcome, or `null` if it has not ended after [`LONGEST_WAIT`].
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn outcome(caller: Caller, id: String) -> Result<Option<Outcome>, Error> {
    // The caller learns of a failure, so it need not be logged.
    let follower = Follower::new(&caller.find_ended(&id)?);
    let outcome = timeout(LONGEST_WAIT, follower.record().ended()).await.ok();
    if outcome.is_some() {
        follower.knows_the_end();
    }
    Ok(outcome)
}

/// Removes an ended task and its outcome.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn remove(caller: Caller, id: String) -> Result<(), Error> {
    caller.tasks.remove(caller.find(&id)?.id)
}
