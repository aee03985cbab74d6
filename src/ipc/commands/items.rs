//! What a page reads of what tasks emit.

use std::time::Duration;

use tauri::command;
use tauri_plugin_tasks_engine::delivery::{Ask, Refusal, WINDOW};

use super::waits::LONGEST_WAIT;
use crate::{
    Error,
    ipc::{caller::Caller, checked::Checked, item_batch::ItemBatch, words},
};

/// The longest name that a page may give a reader.
const READER_LIMIT: usize = 64;

/// Batch number `batch`, from 1, of what task `id` emits, for the page's reader `reader`: items, or bytes as they are. `from` is
/// the number of the first item that the reader wants, and the same in each of its calls; `null` for the oldest that was not
/// read. Waits up to `wait_ms` milliseconds; `null` means that there is nothing yet.
///
/// To ask for a batch lets go of all but the four that end with it, so as many may be on their way at once.
#[command]
#[cfg_attr(test, specta::specta)]
#[allow(clippy::too_many_arguments)]
pub(crate) async fn read(
    caller: Caller,
    session: String,
    id: String,
    reader: String,
    batch: Checked<u64>,
    from: Checked<Option<u64>>,
    wait_ms: Checked<u32>,
) -> Result<ItemBatch, Error> {
    let (batch, from, wait) = (batch.0?, from.0?, Duration::from_millis(wait_ms.0?.into()));
    let reader = reader_name(&session, &reader)?;
    let session = caller.session(&session);
    let known = session.as_ref().ok().and_then(|session| session.read_by(id.parse().ok()?, &reader));
    let record = known.map_or_else(|| caller.find_ended(&id), Ok)?;
    let ask = Ask { reader: &reader, batch, from, holds: WINDOW };
    let read = session?.read(&record, ask, wait.min(LONGEST_WAIT)).await?;
    Ok(ItemBatch(read))
}

/// Ends what the first `read` of this reader began: all items before number `position` count as read, and the others are
/// for the next reader.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel_read(
    caller: Caller,
    session: String,
    id: String,
    reader: String,
    position: Checked<u64>,
) -> Result<(), Error> {
    let record = caller.find(&id);
    let id = id.parse().map_err(|_| words::not_visible(&id))?;
    caller.session(&session)?.cancel_read(id, record, &reader_name(&session, &reader)?, position.0?)
}

/// No two sessions have readers of one name.
fn reader_name(session: &str, reader: &str) -> Result<String, Error> {
    if reader.len() > READER_LIMIT {
        return Err(Refusal::InvalidOptions {
            path: "reader".into(),
            problem: "its name is longer than 64 bytes".into(),
        }
        .into());
    }
    Ok(format!("{session}/{reader}"))
}
