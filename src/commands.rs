//! What a page may ask. Each command can be repeated without harm: a page that reloads runs its calls in
//! flight a second time.

use std::time::Duration;

use serde::Deserialize;
use tauri::{command, ipc::Channel};
use tokio::time::timeout;

use crate::{
    CancelReason, Error, Json, Outcome, TaskFilter, TaskSnapshot,
    caller::Caller,
    engine::Follower,
    session::{SessionInfo, SessionMessage, WatchTarget},
};

/// No task has a longer name; patterns need not be tried on one.
const NAME_LIMIT: usize = 1024;
/// The longest that one call of `outcome` waits.
const OUTCOME_WAIT: Duration = Duration::from_secs(25);

/// Opens the session `session` of this page: what is told to the page from now on comes over `channel`.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn open(
    caller: Caller,
    session: String,
    protocol: u32,
    channel: Channel<SessionMessage>,
) -> Result<SessionInfo, Error> {
    caller.open(&session, protocol, channel)
}

/// The page has taken message number `message`. Answers the next message if that one said `more`.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn ack(caller: Caller, session: String, message: u64) -> Result<Option<SessionMessage>, Error> {
    Ok(caller.session(&session)?.acknowledge(message))
}

/// Starts `task` with an `id` that the page has made for it, and tells the session of it from now on.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn start(
    caller: Caller,
    session: String,
    id: String,
    task: String,
    input: Json,
) -> Result<TaskSnapshot, Error> {
    if task.len() > NAME_LIMIT {
        return Err(Error::unknown_task("…"));
    }
    caller.check_start(&task)?;
    let session = caller.session(&session)?;
    let id = id.parse()?;
    caller.start(&session, id, &task, input)
}

/// Tells a task to stop.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel(caller: Caller, id: String, reason: CancelCause) -> Result<(), Error> {
    caller.cancel(&id, reason.into())
}

/// Why a page cancels a task. The other [`CancelReason`]s are not a page's to give.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub(crate) enum CancelCause {
    /// Somebody asked for it.
    User,
    /// The `AbortSignal` given to `start` fired.
    Signal,
}

impl From<CancelCause> for CancelReason {
    fn from(cause: CancelCause) -> Self {
        match cause {
            CancelCause::User => Self::User,
            CancelCause::Signal => Self::Signal,
        }
    }
}

/// A task as it stands.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn get(caller: Caller, id: String) -> Result<TaskSnapshot, Error> {
    Ok(caller.find(&id)?.snapshot())
}

/// The visible tasks that match, oldest first.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn list(caller: Caller, filter: TaskFilter) -> Result<Vec<TaskSnapshot>, Error> {
    let view = caller.view();
    let records = caller.tasks.records(&filter);
    Ok(records.iter().filter(|record| view.sees(record)).map(|record| record.snapshot()).collect())
}

/// Tells the session from now on of one task, or of all visible ones that match; answers how they stand.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn watch(caller: Caller, session: String, target: WatchTarget) -> Result<Vec<TaskSnapshot>, Error> {
    let session = caller.session(&session)?;
    match target {
        WatchTarget::Task { id } => Ok(vec![session.follow(&caller.find(&id)?)]),
        WatchTarget::List { watch, filter } => Ok(session.list(watch, filter, caller.view())),
    }
}

/// Ends what [`watch`] or [`start`] began. The task goes on.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn unwatch(caller: Caller, session: String, target: WatchTarget) -> Result<(), Error> {
    let session = caller.session(&session)?;
    match target {
        WatchTarget::Task { id } => {
            if let Ok(id) = id.parse() {
                session.unfollow(id);
            }
        }
        WatchTarget::List { watch, .. } => session.unlist(watch),
    }
    Ok(())
}

/// How a task ended. Waits for its end, but not for ever: `null` means that it still goes on.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn outcome(caller: Caller, id: String) -> Result<Option<Outcome>, Error> {
    // Who asks will be told of a failure, so it needn't be logged.
    let follower = Follower::new(&caller.find_ended(&id)?);
    let outcome = timeout(OUTCOME_WAIT, follower.record().ended()).await.ok();
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
