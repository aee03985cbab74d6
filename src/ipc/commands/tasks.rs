//! Commands that return what is known about tasks, and that remove tasks.

use futures_util::FutureExt as _;
use tauri::command;
use tauri_plugin_tasks_engine::delivery::Follower;
use tokio::time::timeout;

use super::longest_wait::LONGEST_WAIT;
use crate::{
    Error, Outcome, TaskFilter, TaskSnapshot,
    ipc::{
        caller::Caller,
        checked::{Checked, CheckedOption},
        refusals,
        wire::TaskPage,
    },
};

/// How many tasks `list` returns at most. A page takes about a frame to parse the snapshots of so many small tasks.
const LIST_LIMIT: u32 = 10_000;
/// How many tasks `list` returns if the page doesn't say. A page parses so many small ones in much less than a frame.
const DEFAULT_LIST_LIMIT: u32 = 1_000;

/// Returns the snapshot of a task.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn get(caller: Caller, id: Checked<String>) -> Result<TaskSnapshot, Error> {
    let record = caller.find_told(&id.0?)?;
    let snapshot = record.snapshot();
    // Asked once more after the look, since another call may have given the share back in between.
    caller.check_told(&record)?;
    Ok(snapshot)
}

/// Returns a page of the snapshots of the visible tasks that match, oldest first: at most `limit` of those that come
/// after number `after` in the order of arrival. `limit` is from 1 to [`LIST_LIMIT`], or [`DEFAULT_LIST_LIMIT`] if it is
/// missing.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn list(
    caller: Caller,
    filter: Checked<TaskFilter>,
    limit: CheckedOption<u32>,
    after: CheckedOption<u64>,
) -> Result<TaskPage, Error> {
    let filter = filter.0?;
    let limit = limit.0?.unwrap_or(DEFAULT_LIST_LIMIT);
    if !(1..=LIST_LIMIT).contains(&limit) {
        let problem = format!("it is {limit}: pass a number from 1 to {LIST_LIMIT}");
        return Err(refusals::of_argument("limit", problem));
    }
    let after = after.0?;
    let (records, next) = caller.page_of_tasks(&filter, after, limit);
    Ok(TaskPage { tasks: records.iter().map(|record| record.snapshot()).collect(), next })
}

/// Waits for a task to end and returns its outcome, or `null` if it has not ended after [`LONGEST_WAIT`].
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn outcome(caller: Caller, id: Checked<String>) -> Result<Option<Outcome>, Error> {
    let id = id.0?;
    let record = caller.find_told(&id).map_err(|not_found| caller.or_told_expired(&id, not_found))?;
    // The caller learns of a failure, so it need not be logged.
    let follower = Follower::new(&record);
    let mut outcome = follower.record().ended().now_or_never();
    if outcome.is_none() {
        let _waits = caller.waits()?;
        outcome = timeout(LONGEST_WAIT, follower.record().ended()).await.ok();
    }
    // The caller may have given its share back while it waited.
    caller.check_told(&record)?;
    if outcome.is_some() {
        follower.knows_the_end();
    }
    Ok(outcome)
}

/// Removes an ended task and its outcome.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn remove(caller: Caller, id: Checked<String>) -> Result<(), Error> {
    caller.tasks.remove(caller.find(&id.0?)?.id)
}
