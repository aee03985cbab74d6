//! Commands for a page's session: opening it, acknowledging its messages and choosing what it reports.

use std::time::Duration;

use tauri::command;

use crate::{
    Error, TaskSnapshot,
    ipc::{
        caller::Caller,
        checked::{Checked, CheckedOption},
        refusals,
    },
    session::{
        message::{MessageText, SessionInfo, Visibility, WatchTarget},
        push_channel::PushChannel,
    },
};

/// The longest time between two reports that a page may ask for, in milliseconds.
const SLOWEST_PACE_MS: u32 = 60 * 60 * 1_000;

/// Opens the session `session` of this page. Its messages are pushed over `channel`, each as the JSON text of a
/// `SessionMessage`. `visibility` is whether the page can be seen. Without it, that is as the page has said in
/// another session; if it has none, it counts as visible.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn open(
    caller: Caller,
    session: Checked<String>,
    protocol: Checked<u32>,
    channel: PushChannel,
    visibility: CheckedOption<Visibility>,
) -> Result<SessionInfo, Error> {
    let (session, protocol) = (session.0?, protocol.0?);
    let visibility = visibility.0?;
    let info = caller.open(&session, protocol, channel)?;
    if let Some(visibility) = visibility {
        caller.session(&session)?.sees(visibility);
    }
    Ok(info)
}

/// Acknowledges message number `message`. If that message has `more` set, waits until the next frame is due and returns
/// the next message, as text like a pushed one. A page calls this, too, to say that it is there or whether it can be seen.
/// Without `visibility`, that is as it was before.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn ack(
    caller: Caller,
    session: Checked<String>,
    message: Checked<u64>,
    visibility: CheckedOption<Visibility>,
) -> Result<Option<MessageText>, Error> {
    let (session, message) = (session.0?, message.0?);
    let visibility = visibility.0?;
    let session = caller.session(&session)?;
    if let Some(visibility) = visibility {
        session.sees(visibility);
    }
    Ok(session.acknowledge(message).await?.map(MessageText))
}

/// Makes the session report one task, or all visible tasks that match, from now on. Returns their snapshots.
///
/// `every_ms` is the shortest time between two reports of progress, or of any changes in a list, in milliseconds; up to
/// [`SLOWEST_PACE_MS`]. With 0, they are reported in each frame. Each status of a single task, and each end in a list, is
/// reported at once all the same, and the newest progress comes before the end. Another call for the same target changes
/// the pace. Without `every_ms`, a target that is already watched keeps its pace, and any other is reported in each frame.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn watch(
    caller: Caller,
    session: Checked<String>,
    target: Checked<WatchTarget>,
    every_ms: CheckedOption<u32>,
) -> Result<Vec<TaskSnapshot>, Error> {
    let (session, target) = (session.0?, target.0?);
    let every = every_ms.0?.map(pace).transpose()?;
    let session = caller.session(&session)?;
    match target {
        WatchTarget::Task { id } => {
            let record = caller.find_told(&id)?;
            session.may_follow(record.id)?;
            Ok(vec![caller.follow(&session, &record, every)?])
        }
        WatchTarget::List { watch, filter } => session.list(watch, &filter, caller.view(), every),
    }
}

fn pace(every_ms: u32) -> Result<Duration, Error> {
    if every_ms > SLOWEST_PACE_MS {
        let problem = format!("it is {every_ms}: pass a number up to {SLOWEST_PACE_MS}, which is an hour");
        return Err(refusals::of_argument("everyMs", problem));
    }
    Ok(Duration::from_millis(every_ms.into()))
}

/// Ends a watch that [`watch`] or [`start`] began. The tasks keep running, and the page keeps its shares in them.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn unwatch(
    caller: Caller,
    session: Checked<String>,
    target: Checked<WatchTarget>,
) -> Result<(), Error> {
    let (session, target) = (session.0?, target.0?);
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
