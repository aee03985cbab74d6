//! Commands for a page's session: opening it, acknowledging its messages and choosing what it reports.

use tauri::{command, ipc::Channel};

use crate::{
    Error, TaskSnapshot,
    ipc::caller::Caller,
    session::message::{MessageText, SessionInfo, WatchTarget},
};

/// Opens the session `session` of this page. Its messages are pushed over `channel`, each as the JSON text of a
/// `SessionMessage`.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn open(
    caller: Caller,
    session: String,
    protocol: u32,
    channel: Channel<MessageText>,
) -> Result<SessionInfo, Error> {
    caller.open(&session, protocol, channel)
}

/// Acknowledges message number `message`. If that message has `more` set, waits until the next frame is due and returns
/// the next message, as text like a pushed one.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn ack(caller: Caller, session: String, message: u64) -> Result<Option<MessageText>, Error> {
    Ok(caller.session(&session)?.acknowledge(message).await?.map(MessageText))
}

/// Makes the session report one task, or all visible tasks that match, from now on. Returns their snapshots.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn watch(caller: Caller, session: String, target: WatchTarget) -> Result<Vec<TaskSnapshot>, Error> {
    let session = caller.session(&session)?;
    match target {
        WatchTarget::Task { id } => Ok(vec![session.follow(&caller.find(&id)?)]),
        WatchTarget::List { watch, filter } => Ok(session.list(watch, filter, caller.view())),
    }
}

/// Ends a watch that [`watch`] or [`start`] began. The tasks keep running.
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
