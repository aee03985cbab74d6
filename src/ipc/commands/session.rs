//! What a page asks about its session: to be told of things.

use tauri::{command, ipc::Channel};

use crate::{
    Error, TaskSnapshot,
    ipc::caller::Caller,
    session::message::{SessionInfo, SessionMessage, WatchTarget},
};

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

/// The page has taken message number `message`. Returns the next message if that one said `more`, when the next frame is due.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn ack(caller: Caller, session: String, message: u64) -> Result<Option<SessionMessage>, Error> {
    caller.session(&session)?.acknowledge(message).await
}

/// Tells the session from now on of one task, or of all visible ones that match; returns how they stand.
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
