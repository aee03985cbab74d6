//! Commands that start tasks, and the one that gives up what they have started.
//!
//! Each call that starts or joins a task has a share in it, which [`leave`] gives back. A repeated call is the same one.

use tauri::command;

use super::name_limit::check_name;
use crate::{
    BatchOptions, Error, Json, StartOptions,
    ipc::{
        caller::Caller,
        checked::{Checked, CheckedInputs},
        wire::Started,
    },
};

/// Starts `task` under the `id` that the page has generated, and makes the session report it. If a live task has the
/// same key and the options say to join it, returns that task instead.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn start(
    caller: Caller,
    session: Checked<String>,
    id: Checked<String>,
    task: Checked<String>,
    input: Json,
    options: Checked<StartOptions>,
) -> Result<Started, Error> {
    let (session, id, task) = (session.0?, id.0?, task.0?);
    check_name(&task)?;
    caller.check_start(&task)?;
    let session = caller.session(&session)?;
    let id = id.parse()?;
    let started = caller.start(id, &task, input, options.0?)?;
    caller.follow_start(&session, id, &started).await
}

/// Starts the ended task `id` again with the same input, as a new task with the id `new_id`.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn rerun(
    caller: Caller,
    session: Checked<String>,
    id: Checked<String>,
    new_id: Checked<String>,
) -> Result<Started, Error> {
    let (session, id, new_id) = (session.0?, id.0?, new_id.0?);
    let session = caller.session(&session)?;
    let started = match caller.find(&id) {
        Ok(record) => {
            caller.check_start(record.name())?;
            caller.rerun(&record, new_id.parse()?)?
        }
        // A repeated call: the ended task is removed by now, but the new one exists.
        Err(not_found) => caller.repeated_rerun(&id, &new_id).ok_or(not_found)?,
    };
    caller.follow_start(&session, new_id.parse()?, &started).await
}

/// Starts one `task` for each of `inputs`, and a batch that represents all of them, under the `id` that the page has
/// generated.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn batch(
    caller: Caller,
    session: Checked<String>,
    id: Checked<String>,
    task: Checked<String>,
    inputs: CheckedInputs,
    options: Checked<BatchOptions>,
) -> Result<Started, Error> {
    let (session, id, task) = (session.0?, id.0?, task.0?);
    inputs.check()?;
    check_name(&task)?;
    caller.check_start(&task)?;
    let inputs = inputs.read(&task)?;
    let session = caller.session(&session)?;
    let id = id.parse()?;
    let started = caller.batch(id, &task, inputs, options.0?)?;
    caller.follow_start(&session, id, &started).await
}

/// Gives back the share in a task of the call that has sent `id`: the `id` of `start`, `batch` and `trigger`, or the `new_id` of
/// `rerun`. If that was the last share, the task is cancelled with the reason `signal`; a batch, with all its members.
///
/// Does nothing if no call of this page with this id has a share: it is unknown, another page's, or has given its share back.
/// So send it once the call is answered. The page may no longer be told of a task that it doesn't own if no other call of the
/// page has a share in it.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn leave(caller: Caller, id: Checked<String>) -> Result<(), Error> {
    caller.leave(&id.0?);
    Ok(())
}
