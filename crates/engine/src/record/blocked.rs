//! Tells in the log of waits that never end, because a task that waits has the slot which the awaited one needs.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{Record, starter::Starter};
use crate::{
    queue::admission::Scope,
    task::{id::TaskId, status::TaskStatus},
};

/// How long a wait that may never end is left alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells in the log, once, that a slot of one of the `holders` keeps a task from running that it awaits. `own` are
/// those that have started the task.
pub(super) async fn tell_if_blocked(record: Arc<Record>, holders: Vec<Starter>, own: Vec<TaskId>) {
    loop {
        sleep(PATIENCE).await;
        for holder in &holders {
            let Some((limit, queued)) = record.limit_held_by(holder.id) else { continue };
            let why = if own.contains(&holder.id) {
                "it is not awaited in the future of the handler that has started it, as far as can be seen: await it \
                 there, and not in a tokio task or on a thread that the handler waits for. Then the handler lends its \
                 slots while it waits"
            } else {
                "its own handler did not start it, and lends its slots only for tasks that it has started"
            };
            tracing::warn!(
                task = &*holder.name,
                id = %holder.id,
                awaited = record.name(),
                awaited_id = %record.id,
                queued = %queued,
                "code of the task \"{}\" has awaited the task \"{}\" for {PATIENCE:?}, which can't run because of {limit}: \
                 the first holds a slot there. If it waits for the other, neither ever ends: {why}, or raise the limit",
                holder.name,
                record.name(),
            );
            return;
        }
    }
}

impl Record {
    /// Whether it, or a member of it, may be waiting for a slot.
    pub(super) fn may_be_in_a_queue(&self) -> bool {
        self.members.is_some() || self.status() != TaskStatus::Running
    }

    /// If a slot of the task `holder` keeps this one, or a member of it, from running, returns the limit in words and the
    /// task that waits.
    fn limit_held_by(&self, holder: TaskId) -> Option<(String, TaskId)> {
        let admission = self.common.admission.lock();
        let mut tasks = std::iter::once(self.id).chain(self.members.iter().flatten().copied());
        tasks.find_map(|id| admission.is_blocked_by(id, holder).map(|(scope, limit)| (in_words(&scope, limit), id)))
    }

    /// Tells in the log that the task has waited for its own slots for too long, if a task that it awaits holds one.
    pub(crate) async fn tell_if_held_up(self: Arc<Self>) {
        loop {
            sleep(PATIENCE).await;
            let awaited = self.snapshot().waits_for;
            let admission = self.common.admission.lock();
            let held = awaited.iter().find_map(|id| Some((id, admission.is_blocked_by(self.id, *id)?)));
            let Some((awaited, limit)) = held.map(|(id, (scope, limit))| (id, in_words(&scope, limit))) else {
                continue;
            };
            drop(admission);
            tracing::warn!(
                task = self.name(),
                id = %self.id,
                awaited_id = %awaited,
                "the task \"{}\" has stopped waiting for a task that it has started, and has waited for its own slot for \
                 {PATIENCE:?}: because of {limit}, it can't go on before that other task has ended. Await the end of the \
                 other task, cancel it in the same step in which you stop waiting, or raise the limit",
                self.name(),
            );
            return;
        }
    }
}

/// Tells in the log, once, that the task is awaited and can't run because of tasks that do nothing. It is not known who
/// has started it and who awaits it: that may be one of them, through a tokio task or a thread.
pub(super) async fn tell_if_stuck(record: Arc<Record>) {
    let mut before = None;
    loop {
        let now = record.stuck_behind();
        if let (Some(before), Some(now)) = (&before, &now)
            && before == now
            // Without holders, the limit is 0.
            && let Some(holder) = now.holders.first().and_then(|holder| record.common.find(holder.id))
        {
            let Stuck { limit, queued, .. } = now;
            tracing::warn!(
                task = holder.name(),
                id = %holder.id,
                awaited = record.name(),
                awaited_id = %record.id,
                %queued,
                "the task \"{}\" has been awaited for {PATIENCE:?} and can't run because of {limit}: the task \"{}\" holds \
                 a slot there, and its handler has done nothing meanwhile. If that waits for the other, through a tokio task \
                 or on a thread, neither ever ends: start and await tasks in the handler's own future, which lends its \
                 slots while it waits, or raise the limit",
                record.name(),
                holder.name(),
            );
            return;
        }
        before = now;
        sleep(PATIENCE).await;
    }
}

/// What keeps a task, or a member of it, from running.
#[derive(PartialEq)]
struct Stuck {
    limit: String,
    queued: TaskId,
    holders: Vec<Activity>,
}

/// What a task has done so far.
#[derive(PartialEq)]
struct Activity {
    id: TaskId,
    attempt: u32,
    polls: u64,
    completed: u64,
    message: Option<Arc<str>>,
}

impl Record {
    /// Whether it, or a member of it, waits for a slot.
    pub(super) fn waits_for_a_slot(&self) -> bool {
        self.members.is_some() || self.common.admission.lock().waits(self.id)
    }

    /// Returns what keeps it from running, if nothing that does has work on other threads.
    fn stuck_behind(&self) -> Option<Stuck> {
        let (scope, limit, mut holders, queued) = {
            let admission = self.common.admission.lock();
            let mut tasks = std::iter::once(self.id).chain(self.members.iter().flatten().copied());
            tasks.find_map(|id| admission.blocked_in(id).map(|(scope, limit, holders)| (scope, limit, holders, id)))?
        };
        holders.sort_unstable();
        let holders = holders.into_iter().map(|id| self.common.find(id)?.activity()).collect::<Option<_>>()?;
        Some(Stuck { limit: in_words(&scope, limit), queued, holders })
    }

    /// Returns `None` if its handler has not begun, or has work on other threads.
    fn activity(&self) -> Option<Activity> {
        let (attempt, progress) = {
            let state = self.state.lock();
            (state.live.attempt.clone()?, state.progress())
        };
        if attempt.has_work_beside() {
            return None;
        }
        Some(Activity {
            id: self.id,
            attempt: attempt.number,
            polls: attempt.polls(),
            completed: progress.completed,
            message: progress.message,
        })
    }
}

fn in_words(scope: &Scope, limit: usize) -> String {
    match scope {
        Scope::App => format!("the limit of the app, Builder::concurrency({limit})"),
        Scope::Kind(kind) => format!("the limit of the kind \"{kind}\", Task::concurrency({limit})"),
        Scope::Group(group) => format!("the limit of the group \"{group}\" ({limit})"),
        Scope::Batch(batch) => format!("the limit of the batch {batch}, BatchOptions::concurrency({limit})"),
    }
}
