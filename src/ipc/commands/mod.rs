//! What a page may ask. A page that reloads runs its calls in flight a second time, so each command can be repeated
//! without harm: a start that was accepted finds its task again, and all others are about what is there.

mod schedules;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tauri::{command, ipc::Channel};
use tokio::time::timeout;

use crate::{
    BatchOptions, CancelReason, Error, Json, LimitOf, Outcome, StartOptions, TaskCounts, TaskFilter, TaskSnapshot,
    ipc::{caller::Caller, checked::Checked, item_batch::ItemBatch},
    session::{SessionInfo, SessionMessage, WatchTarget},
};
use tauri_plugin_tasks_engine::delivery::{Ask, Follower, WINDOW};

pub(crate) use schedules::*;

/// No task has a longer name; patterns need not be tried on one.
const NAME_LIMIT: usize = 1024;
/// The longest that one call of `outcome` or `read` waits.
const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// The longest name that a page may give a reader.
const READER_LIMIT: usize = 64;

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

/// The page has taken message number `message`. Answers the next message if that one said `more`, when the next frame is due.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn ack(caller: Caller, session: String, message: u64) -> Result<Option<SessionMessage>, Error> {
    caller.session(&session)?.acknowledge(message).await
}

/// Starts `task` with an `id` that the page has made for it, and tells the session of it from now on. What comes back may be
/// another task with the same key, if the options say so.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn start(
    caller: Caller,
    session: String,
    id: String,
    task: String,
    input: Json,
    options: Checked<StartOptions>,
) -> Result<Started, Error> {
    check_name(&task)?;
    caller.check_start(&task)?;
    let session = caller.session(&session)?;
    let started = caller.start(id.parse()?, &task, input, options.0?)?;
    Ok(caller.follow_start(&session, &started).await)
}

/// Starts what the ended task `id` was started for once more, as the task `new_id`.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn retry(caller: Caller, session: String, id: String, new_id: String) -> Result<Started, Error> {
    let session = caller.session(&session)?;
    let started = match caller.find(&id) {
        Ok(record) => {
            caller.check_start(record.name())?;
            caller.retry(&record, new_id.parse()?)?
        }
        // Repeated when the first one was removed: what it has started is there.
        Err(not_found) => Follower::new(&caller.find(&new_id).map_err(|_| not_found)?),
    };
    Ok(caller.follow_start(&session, &started).await)
}

/// Starts a `task` for each of `inputs`, and one that stands for all of them, with an `id` that the page has made for it.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn batch(
    caller: Caller,
    session: String,
    id: String,
    task: String,
    inputs: Vec<Json>,
    options: Checked<BatchOptions>,
) -> Result<Started, Error> {
    check_name(&task)?;
    caller.check_start(&task)?;
    let session = caller.session(&session)?;
    let started = caller.batch(id.parse()?, &task, inputs, options.0?)?;
    Ok(caller.follow_start(&session, &started).await)
}

/// A task that was started.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct Started {
    /// How it stands.
    pub(crate) snapshot: TaskSnapshot,
    /// How it ended, if it has ended already; `null` for an outcome of more than 4 KiB, which is to be fetched.
    pub(crate) outcome: Option<Outcome>,
}

fn check_name(task: &str) -> Result<(), Error> {
    if task.len() > NAME_LIMIT {
        return Err(Error::unknown_task("…"));
    }
    Ok(())
}

/// Tells a task to stop.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel(caller: Caller, id: String, reason: CancelCause) -> Result<(), Error> {
    caller.cancel(&id, reason.into())
}

/// Tells all visible tasks that match to stop; answers how many had not ended.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn cancel_all(caller: Caller, filter: Checked<TaskFilter>, reason: CancelCause) -> Result<u32, Error> {
    let cancelled = caller.tasks.cancel_records(caller.records(&filter.0?).collect(), reason.into());
    Ok(u32::try_from(cancelled).unwrap_or(u32::MAX))
}

/// Keeps a waiting task from running until it is released.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn hold(caller: Caller, id: String) -> Result<(), Error> {
    caller.tasks.hold_record(&caller.find(&id)?)
}

/// Lets a task that was held have its turn again.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn release(caller: Caller, id: String) -> Result<(), Error> {
    caller.tasks.release_record(&caller.find(&id)?)
}

/// Gives a waiting task another priority; higher runs earlier.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn set_priority(caller: Caller, id: String, priority: Checked<i32>) -> Result<(), Error> {
    caller.tasks.set_priority_of(&caller.find(&id)?, priority.0?)
}

/// Changes how many tasks may run at once; `null` for no limit. It holds for everybody's tasks, so every kind that it is
/// about must be visible whoever owns its tasks.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn set_limit(caller: Caller, of: Checked<LimitOf>, limit: Checked<Option<u32>>) -> Result<(), Error> {
    let (of, limit) = (of.0?, limit.0?);
    if let LimitOf::Task(name) | LimitOf::Group(name) = &of {
        check_name(name)?;
    }
    caller.check_limit(&of)?;
    caller.tasks.set_limit(of, limit.map(|limit| limit as usize))
}

/// How many tasks of each kind stand where, for the kinds that are visible whoever owns their tasks.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn counts(caller: Caller) -> Result<Vec<TaskCounts>, Error> {
    let is_visible = |counts: &TaskCounts| counts.task.as_ref().is_some_and(|task| caller.sees_all(task));
    Ok(caller.tasks.counts().into_iter().filter(is_visible).collect())
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
pub(crate) async fn list(caller: Caller, filter: Checked<TaskFilter>) -> Result<Vec<TaskSnapshot>, Error> {
    Ok(caller.records(&filter.0?).map(|record| record.snapshot()).collect())
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
    let id = id.parse().map_err(|_| Error::not_visible(&id))?;
    caller.session(&session)?.cancel_read(id, record, &reader_name(&session, &reader)?, position.0?)
}

/// No two sessions have readers of one name.
fn reader_name(session: &str, reader: &str) -> Result<String, Error> {
    if reader.len() > READER_LIMIT {
        return Err(Error::invalid_options("reader", "its name is longer than 64 bytes"));
    }
    Ok(format!("{session}/{reader}"))
}
