//! Tells in the log of waits that may never end, because a task that waits has the slot which the awaited one needs.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::sleep;

use super::{
    Record,
    activity::Activity,
    known_waits::{Wait, Warning},
};
use crate::{
    logged::logged,
    queue::admission::Scope,
    task::{id::TaskId, status::TaskStatus},
};

/// How long a wait that may never end is left alone.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time between two looks at a wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);
/// The most tasks that a line names.
const NAMED: usize = 5;

/// A full limit that keeps a task from running.
struct Full {
    scope: Scope,
    limit: usize,
    /// The task that waits for a slot there: the awaited one, or a member of it.
    queued: TaskId,
}

/// A task that may be waiting for another one.
pub(super) struct Suspect {
    /// A wait keeps no task but the awaited one.
    pub(super) task: Weak<Record>,
    pub(super) wait: Arc<Wait>,
    /// Whether it has started the other one.
    pub(super) has_started: bool,
}

/// Tells in the log, once, that a slot of one of the `suspects` keeps a task from running that it awaits.
pub(super) async fn tell_if_blocked(awaited: Arc<Record>, suspects: Vec<Suspect>) {
    let activities = || suspects.iter().map(|suspect| suspect.unfinished()?.activity()).collect::<Vec<_>>();
    let mut before = activities();
    let mut pause = Pause::default();
    while suspects.iter().any(|suspect| suspect.unfinished().is_some()) {
        sleep(pause.next(awaited.wants_slots())).await;
        let now = activities();
        for (suspect, (before, now)) in suspects.iter().zip(before.iter().zip(&now)) {
            let does_nothing = now.is_some() && before == now;
            if (does_nothing || suspect.wait.is_awaited())
                && let Some(task) = suspect.unfinished()
                && let Some(full) = awaited.limit_held_by(task.id)
            {
                suspect.tell(&task, &awaited, &full);
                return;
            }
        }
        before = now;
    }
}

/// The time until the next look at a wait. It grows while the awaited task wants no slots: nothing blocks it, and an app
/// that is idle meanwhile is hardly ever woken.
#[derive(Default)]
struct Pause(Duration);

impl Pause {
    fn next(&mut self, wants_slots: bool) -> Duration {
        self.0 = if wants_slots { PATIENCE } else { (self.0 * 2).clamp(PATIENCE, LONGEST_PAUSE) };
        self.0
    }
}

impl Suspect {
    /// Returns `None` if it has ended.
    fn unfinished(&self) -> Option<Arc<Record>> {
        self.task.upgrade().filter(|task| !task.status().is_final())
    }

    /// Tells in the log that a slot of its task keeps the awaited one from running, unless the log has named it for
    /// this.
    fn tell(&self, of: &Record, awaited: &Record, full: &Full) {
        let is_known = self.wait.by.is_known();
        if !of.known_waits().is_to_be_told(if is_known { Warning::Blocks } else { Warning::MayBlock }) {
            return;
        }
        let (task, name, limit) = (logged(of.name()), logged(awaited.name()), in_words(&full.scope, full.limit));
        let fact = if is_known {
            format!(
                "code of the task \"{task}\" has awaited the task \"{name}\" for {PATIENCE:?}. That can't run because of \
                 {limit}, where \"{task}\" keeps a slot"
            )
        } else {
            format!(
                "the task \"{name}\" has been awaited for {PATIENCE:?} and can't run because of {limit}. The task \"{task}\", \
                 which has started it, has a slot there and has done nothing in that time"
            )
        };
        let also = match self.also_blocked(of) {
            0 => String::new(),
            1 => format!(". \"{task}\" blocks another awaited task in the same way"),
            count => format!(". \"{task}\" blocks {count} other awaited tasks in the same way"),
        };
        let remedy = if self.has_started {
            "Await it in the future of the handler that has started it, not in a tokio task or on a thread: that handler \
             lends its slots while it waits. Or raise the limit"
                .to_owned()
        } else {
            format!(
                "\"{task}\" did not start it, and a handler lends its slots only for tasks that it has started. Start it \
                 there, or raise the limit"
            )
        };
        tracing::warn!(
            task,
            id = %of.id,
            awaited = name,
            awaited_id = %awaited.id,
            queued = %full.queued,
            "{fact}. {}{also}. {remedy}",
            self.consequence(of, &name, full),
        );
    }

    /// Returns how many other tasks its slot keeps from running that are awaited in the same way.
    fn also_blocked(&self, of: &Record) -> usize {
        let waits = of.known_waits().all();
        let alike = waits.iter().filter(|wait| wait.by.is_known() == self.wait.by.is_known());
        let mut seen = HashSet::from([self.wait.of]);
        let others = alike.filter(|wait| seen.insert(wait.of));
        others.filter(|wait| of.blocks(wait.of).is_some()).count()
    }

    fn consequence(&self, of: &Record, name: &str, full: &Full) -> String {
        let common = &of.common;
        let mut others = common.admission.lock().holders(&full.scope);
        others.retain(|id| *id != of.id);
        let task = logged(of.name());
        let waits_too =
            |id: &TaskId| common.find(*id).is_some_and(|other| other.keeps_slot_while_it_waits(&full.scope));
        let is_known = self.wait.by.is_known();
        let guess = format!("If \"{task}\" waits for it, in a tokio task or on a thread");
        match others.len() {
            0 if is_known => format!("Unless \"{task}\" gives up the wait, neither ever ends"),
            0 => format!("{guess}, neither ever ends"),
            count if others.iter().all(waits_too) => {
                let others = if count == 1 { "task there waits".into() } else { format!("{count} tasks there wait") };
                if is_known {
                    format!("The other {others}, too. Unless one of them gives up its wait, none of them ever ends")
                } else {
                    format!("The other {others}, too. {guess}, none of them ever ends unless one gives up its wait")
                }
            }
            1 => format!(
                "\"{name}\" can run when the other task there has ended. If that waits for a task which needs a slot there, \
                 too, none of them ever ends"
            ),
            count => format!(
                "\"{name}\" can run when one of the {count} other tasks there has ended. If all of them wait for tasks \
                 which need a slot there, too, none of them ever ends"
            ),
        }
    }
}

impl Record {
    /// Whether it, or a member of it, may be waiting for a slot.
    pub(super) fn may_be_in_a_queue(&self) -> bool {
        self.members.is_some() || self.status() != TaskStatus::Running
    }

    /// Whether it, or a member of it, wants slots that it doesn't have.
    fn wants_slots(&self) -> bool {
        let admission = self.common.admission.lock();
        let mut tasks = std::iter::once(self.id).chain(self.members.iter().flatten().copied());
        tasks.any(|id| admission.wants_slots(id))
    }

    /// If a slot of the task `holder` keeps this one, or a member of it, from running, returns the limit.
    fn limit_held_by(&self, holder: TaskId) -> Option<Full> {
        let admission = self.common.admission.lock();
        let mut tasks = std::iter::once(self.id).chain(self.members.iter().flatten().copied());
        tasks.find_map(|queued| {
            let (scope, limit) = admission.is_blocked_by(queued, holder)?;
            Some(Full { scope, limit, queued })
        })
    }

    /// If a slot of this task keeps the task `id`, or a member of it, from running, returns the limit.
    fn blocks(&self, id: TaskId) -> Option<Full> {
        self.common.find(id)?.limit_held_by(self.id)
    }

    /// Whether its code is seen to await a task that needs a slot which it has in this scope.
    fn keeps_slot_while_it_waits(&self, of: &Scope) -> bool {
        let is_blocked = |wait: &Wait| self.blocks(wait.of).is_some_and(|full| full.scope == *of);
        self.known_waits().all().iter().any(|wait| wait.is_awaited() && is_blocked(wait))
    }

    /// Tells in the log that the task has waited for its own slots for too long, if a task that it awaits holds one.
    pub(crate) async fn tell_if_held_up(self: Arc<Self>) {
        loop {
            sleep(PATIENCE).await;
            let awaited = self.snapshot().waits_for;
            let held = {
                let admission = self.common.admission.lock();
                let limit = awaited.iter().find_map(|id| admission.is_blocked_by(self.id, *id));
                limit.map(|(scope, limit)| (admission.holders(&scope), in_words(&scope, limit)))
            };
            let Some((holders, limit)) = held else { continue };
            if self.known_waits().is_to_be_told(Warning::HeldUp) {
                let holders: Vec<_> = holders.into_iter().filter_map(|id| self.common.find(id)).collect();
                let (who, before) = match &holders[..] {
                    [_] => ("the task", "that task has"),
                    _ => ("the tasks", "one of these has"),
                };
                let task = logged(self.name());
                tracing::warn!(
                    task,
                    id = %self.id,
                    "the task \"{task}\" has stopped waiting for a task that it has started, and has waited for its own slot \
                     for {PATIENCE:?} because of {limit}. The slots there are held by {who} {}. It can't go on before {before} \
                     given up its slot. Await the end of a task that you have started, cancel it in the same step in which \
                     you stop waiting, or raise the limit",
                    names(&holders),
                );
            }
            return;
        }
    }
}

/// Tells in the log, once, that the task is awaited and can't run because of tasks that do nothing. It is not known who
/// has started it and who awaits it: that may be one of them, through a tokio task or a thread.
pub(super) async fn tell_if_stuck(record: Arc<Record>) {
    let mut before = None;
    let mut pause = Pause::default();
    loop {
        let now = record.stuck_behind();
        if let (Some(before), Some(now)) = (&before, &now)
            && before == now
        {
            let holders: Vec<_> = now.holders.iter().filter_map(|holder| record.common.find(holder.id)).collect();
            // Without holders, the limit is 0.
            if let Some(first) = holders.first() {
                if first.known_waits().is_to_be_told(Warning::MayBlock) {
                    tell_of_holders(&record, now, &holders);
                }
                return;
            }
        }
        before = now;
        sleep(pause.next(record.wants_slots())).await;
    }
}

fn tell_of_holders(awaited: &Record, Stuck { limit, queued, .. }: &Stuck, holders: &[Arc<Record>]) {
    let [first, others @ ..] = holders else { return };
    let (name, named) = (logged(awaited.name()), names(holders));
    let (fact, consequence) = if others.is_empty() {
        (
            format!("The task {named} has a slot there and has done nothing in that time"),
            "If that waits for it, in a tokio task or on a thread, neither ever ends",
        )
    } else {
        (
            format!("The tasks {named} have the slots there and have done nothing in that time"),
            "If all of these wait for it, in a tokio task or on a thread, none of them ever ends",
        )
    };
    tracing::warn!(
        task = logged(first.name()),
        id = %first.id,
        awaited = name,
        awaited_id = %awaited.id,
        %queued,
        "the task \"{name}\" has been awaited for {PATIENCE:?} and can't run because of {limit}. {fact}. {consequence}. Start \
         and await tasks in the handler's own future, which lends its slots while it waits, or raise the limit",
    );
}

/// What keeps a task, or a member of it, from running.
#[derive(PartialEq)]
struct Stuck {
    limit: String,
    queued: TaskId,
    holders: Vec<Activity>,
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
}

/// In words for the log.
fn in_words(scope: &Scope, limit: usize) -> String {
    match scope {
        Scope::App => format!("the limit of the app, Builder::concurrency({limit})"),
        Scope::Kind(kind) => format!("the limit of the kind \"{}\", Task::concurrency({limit})", logged(kind)),
        Scope::Group(group) => format!("the limit of the group \"{}\" ({limit})", logged(group)),
        Scope::Batch(batch) => format!("the limit of the batch {batch}, BatchOptions::concurrency({limit})"),
    }
}

/// Names tasks for the log, not all of them if there are many.
fn names(tasks: &[Arc<Record>]) -> String {
    let named = tasks.iter().take(NAMED).map(|task| format!("\"{}\" ({})", logged(task.name()), task.id));
    let more = tasks.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("{more} more"));
    let all: Vec<_> = named.chain(more).collect();
    match &all[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => all.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        pin::pin,
    };

    use tokio::time::timeout;

    use super::*;
    use crate::{
        Failure, TaskContext,
        delivery::{Settings, engine},
        record::known_waits::By,
        test::manager,
    };

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_task_that_runs_is_looked_at_ever_less_and_no_more_when_no_other_waits() {
        let tasks = manager([], Settings::default());
        let [awaited, starter] =
            ["awaited", "starter"].map(|name| tasks.spawn(name, |_: TaskContext| pending::<Result<(), Failure>>()));
        let record = |id| engine(&tasks).find(id).unwrap();
        let wait = Arc::new(Wait { of: awaited.id(), by: By::Unknown });
        let suspect = Suspect { task: Arc::downgrade(&record(starter.id())), wait, has_started: true };
        let mut tell = pin!(tell_if_blocked(record(awaited.id()), vec![suspect]));
        let mut polls = 0;
        let counted = poll_fn(|context| {
            polls += 1;
            tell.as_mut().poll(context)
        });
        assert!(timeout(Duration::from_secs(60 * 60), counted).await.is_err());
        // Each timeout polls it once more.
        assert!((5..=13).contains(&polls), "{polls}");
        starter.cancel().unwrap();
        starter.outcome().await;
        timeout(LONGEST_PAUSE, tell).await.expect("it ends");
    }
}
