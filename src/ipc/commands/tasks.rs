//! What a page may ask about tasks, and forget of them.

use tauri::command;
use tauri_plugin_tasks_engine::delivery::Follower;
use tokio::time::timeout;

use super::waits::LONGEST_WAIT;
use crate::{
    Error, Outcome, TaskFilter, TaskSnapshot,
    ipc::{caller::Caller, checked::Checked},
};

/// A task as it stands.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn get(caller: Caller, id: String) -> Result<TaskSnapshot, Error> {
    Ok(caller.find(&id)?.snapshot())
}

/// The visible tasks that match, oldest first.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn list(caller: Caller, filter: Checked<TaskFilter>) -> Result<Vec<TaskSnapshot>, Error> {
    Ok(caller.records(&filter.0?).map(|record| record.snapshot()).collect())
}

/// How a task ended. Waits for its end, but not for ever: `null` means that it still goes on.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn outcome(caller: Caller, id: String) -> Result<Option<Outcome>, Error> {
    // Who asks will be told of a failure, so it needn't be logged.
    let follower = Follower::new(&caller.find_ended(&id)?);
    let outcome = timeout(LONGEST_WAIT, follower.record().ended()).await.ok();
    if outcome.is_some() {
        follower.knows_the_end();
    }
    Ok(outcome)
}

/// Forgets an ended task and its outcome.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn remove(caller: Caller, id: String) -> Result<(), Error> {
    caller.tasks.remove(caller.find(&id)?.id)
}
