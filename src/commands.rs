//! What a page may ask. Each command can be repeated without harm: a page that reloads runs its calls in
//! flight a second time.

use std::time::Duration;

use tauri::{command, ipc::Channel};
use tokio::time::timeout;

use crate::{
    CancelReason, Error, ErrorKind, Json, Outcome, TaskFilter, TaskSnapshot,
    caller::Caller,
    engine::{Owner, Start},
    session::{SessionInfo, SessionMessage, WatchTarget},
};

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
    caller.sessions.open(&session, protocol, caller.page(), &caller.tasks, channel)
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
    caller.check_start(&task)?;
    let session = caller.session(&session)?;
    let id = id
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidId, format!("\"{id}\" is not a UUID: make one for each task")))?;
    let start = Start { id, task: &task, input, owner: Owner::Page(caller.page().clone()) };
    let mut snapshot = None;
    let record = caller.tasks.start_for(&start, |record| snapshot = Some(session.follow(record)))?;
    Ok(snapshot.unwrap_or_else(|| record.snapshot()))
}

/// Tells a task to stop.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel(caller: Caller, id: String, reason: CancelReason) -> Result<(), Error> {
    caller.cancel(&id, reason)
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
    let record = caller.find_ended(&id)?;
    Ok(timeout(OUTCOME_WAIT, record.ended()).await.ok())
}

/// Forgets an ended task and its outcome.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn remove(caller: Caller, id: String) -> Result<(), Error> {
    caller.tasks.remove(caller.find(&id)?.id)
}
