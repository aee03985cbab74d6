//! Commands that read the items of a task.

use std::time::Duration;

use tauri::command;

use super::longest_wait::LONGEST_WAIT;
use crate::{
    Error,
    ipc::{caller::Caller, checked::Checked, chunk::ReadResponse, refusals},
};

/// The longest name of a reader, in bytes.
const READER_LIMIT: usize = 64;

/// Returns chunk number `chunk`, from 1, of the items or bytes of task `id` for the page's reader `reader`. Waits up to
/// `wait_ms` milliseconds, at most [`LONGEST_WAIT`], and returns `null` if there is nothing by then. If `wait_ms` is 0
/// and there is nothing, all waiting reads of the session return `null` at once.
///
/// `from` is the number of the first item that the reader wants, or `null` for the oldest unread one. It must be the
/// same in all calls of a reader. Each call releases all chunks except the one that it asks for and the three before
/// that, so at most four calls may be in flight at once.
#[command]
#[cfg_attr(test, specta::specta)]
#[allow(clippy::too_many_arguments)]
pub(crate) async fn read(
    caller: Caller,
    session: Checked<String>,
    id: Checked<String>,
    reader: Checked<String>,
    chunk: Checked<u64>,
    from: Checked<Option<u64>>,
    wait_ms: Checked<u32>,
) -> Result<ReadResponse, Error> {
    let (session, id, reader) = (session.0?, id.0?, reader.0?);
    let (chunk, from, wait) = (chunk.0?, from.0?, Duration::from_millis(wait_ms.0?.into()));
    let reader = reader_name(&session, &reader)?;
    let session = caller.session(&session);
    let known = session.as_ref().ok().and_then(|session| session.read_by(id.parse().ok()?, &reader));
    let record = known.map_or_else(|| caller.find(&id).map_err(|not_found| caller.or_expired(&id, not_found)), Ok)?;
    let session = session?;
    let ask = session.ask(&reader, chunk, from);
    let read = session.read(&record, ask, wait.min(LONGEST_WAIT)).await.map_err(refusals::of_arguments)?;
    Ok(ReadResponse(read))
}

/// Stops a reader. The items before number `position` count as read; the next reader gets the others.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel_read(
    caller: Caller,
    session: Checked<String>,
    id: Checked<String>,
    reader: Checked<String>,
    position: Checked<u64>,
) -> Result<(), Error> {
    let (session, id, reader) = (session.0?, id.0?, reader.0?);
    let record = caller.find(&id);
    let id = id.parse().map_err(|_| refusals::not_visible(&id))?;
    caller.session(&session)?.cancel_read(id, record, &reader_name(&session, &reader)?, position.0?)
}

/// Returns the full name of a reader, which is unique among all sessions.
fn reader_name(session: &str, reader: &str) -> Result<String, Error> {
    if reader.len() > READER_LIMIT {
        return Err(refusals::of_argument("reader", "its name is longer than 64 bytes"));
    }
    Ok(format!("{session}/{reader}"))
}
