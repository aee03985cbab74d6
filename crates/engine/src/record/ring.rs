//! Tells in the log of tasks that wait for each other.

use std::{collections::VecDeque, sync::Arc};

use tokio::time::sleep;

use super::{
    Record,
    activity::Activity,
    blocked::PATIENCE,
    known_waits::{By, Warning},
};
use crate::{
    logged::logged,
    task::id::{IdMap, TaskId},
};

/// Tasks each of which awaits the next one, and the last one the first.
pub(super) struct Ring(Vec<Arc<Record>>);

impl Ring {
    /// Returns the ring that a wait of `waiter` for `awaited` closes.
    pub(super) fn closed_by(waiter: &Arc<Record>, awaited: &Record) -> Option<Self> {
        let mut waits_for: IdMap<Arc<Record>> = IdMap::default();
        let mut reached = VecDeque::from([Arc::clone(waiter)]);
        // Backwards, because most tasks are awaited by one at most, and a batch has many members.
        while let Some(task) = reached.pop_front() {
            if task.id == awaited.id {
                return Some(Self::from(task, waiter, &waits_for));
            }
            for id in task.awaited_by() {
                if id == waiter.id || waits_for.contains_key(&id) {
                    continue;
                }
                if let Some(by) = task.common.find(id) {
                    waits_for.insert(id, Arc::clone(&task));
                    reached.push_back(by);
                }
            }
        }
        None
    }

    fn from(awaited: Arc<Record>, waiter: &Arc<Record>, waits_for: &IdMap<Arc<Record>>) -> Self {
        let mut ring = vec![Arc::clone(waiter)];
        let mut next = &awaited;
        while next.id != waiter.id {
            ring.push(Arc::clone(next));
            next = &waits_for[&next.id];
        }
        Self(ring)
    }

    fn waits(&self) -> impl Iterator<Item = (&Arc<Record>, &Arc<Record>)> {
        self.0.iter().zip(self.0.iter().cycle().skip(1))
    }

    /// Returns what its tasks have done so far; `None` for one that does nothing but wait, as it is a batch or its wait
    /// blocks a thread. Returns `None` if it can't be seen what one of them does.
    fn activities(&self) -> Option<Vec<(TaskId, Option<Activity>)>> {
        let activity = |(task, next): (&Arc<Record>, &Arc<Record>)| {
            if task.members.is_some() || task.blocks_a_thread_for(next.id) {
                return Some((task.id, None));
            }
            Some((task.id, Some(task.activity()?)))
        };
        self.waits().map(activity).collect()
    }

    fn in_words(&self) -> String {
        let waits = self.waits().map(|(task, next)| {
            let does = if next.parent == Some(task.id) { "has the member" } else { "awaits" };
            format!("\"{}\" {does} \"{}\"", task.name(), next.name())
        });
        let waits: Vec<_> = waits.collect();
        match &waits[..] {
            [first @ .., last] if !first.is_empty() => format!("{}, and {last}", first.join(", ")),
            _ => waits.concat(),
        }
    }

    /// Whether the log has named none of its tasks for this. If so, it is about to name all of them.
    fn is_to_be_told(&self) -> bool {
        // In the same order everywhere, so that only one of those who tell of the same ring at the same time does.
        let mut tasks: Vec<_> = self.0.iter().collect();
        tasks.sort_unstable_by_key(|task| task.id);
        let told = tasks.iter().position(|task| !task.known_waits().is_to_be_told(Warning::Ring));
        for task in &tasks[..told.unwrap_or(0)] {
            task.known_waits().is_not_told(Warning::Ring);
        }
        told.is_none()
    }

    /// Tells in the log of the ring, unless the log has named one of its tasks for this.
    pub(super) fn tell(&self) {
        let [first, others @ ..] = &self.0[..] else { return };
        if !self.is_to_be_told() {
            return;
        }
        let (task, id) = (logged(first.name()), first.id);
        if others.is_empty() {
            tracing::warn!(
                task,
                %id,
                "the task \"{task}\" awaits itself. Unless it gives up the wait, it never ends. Await a task elsewhere than \
                 in its own handler",
            );
        } else {
            let ring: Vec<_> = self.0.iter().map(|task| task.id.to_string()).collect();
            tracing::warn!(
                task,
                %id,
                ring = logged(ring.join(" ")),
                "tasks have waited for each other for {PATIENCE:?} and done nothing else: {}. Unless one of them gives up \
                 its wait, none of them ever ends. Let one of them go on without the other, or cancel one",
                logged(self.in_words()),
            );
        }
    }
}

/// Tells in the log, once, of the ring that a wait of `waiter` for `awaited` closes.
pub(super) async fn tell_if_in_a_ring(waiter: Arc<Record>, awaited: Arc<Record>) {
    let mut before = None;
    while let Some(ring) = Ring::closed_by(&waiter, &awaited) {
        let now = ring.activities();
        if now.is_some() && before == now {
            ring.tell();
            return;
        }
        before = now;
        sleep(PATIENCE).await;
    }
}

impl Record {
    /// Returns the tasks that end only after this one: those whose code awaits it, and its batch.
    fn awaited_by(&self) -> Vec<TaskId> {
        let waiters = self.known_waits.get().map(|waits| waits.waiters()).unwrap_or_default();
        waiters.into_iter().chain(self.parent).collect()
    }

    fn blocks_a_thread_for(&self, id: TaskId) -> bool {
        self.known_waits().all().iter().any(|wait| wait.of == id && matches!(wait.by, By::Thread))
    }
}
