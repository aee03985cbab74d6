//! One list that a page watches: what the page knows about each task, and what has changed since.

use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::delivery::{IdMap, Look, Record, Told};
use tokio::time::Instant;

use super::{
    pace::Pace,
    selection::{Found, Selection},
    turns::Turns,
};
use crate::{
    TaskId, TaskSnapshot,
    session::{
        bounds::Place,
        message::{Encoded, ListChange, ProgressChange},
    },
};

/// The size in bytes of a task id in escaped quotes.
pub(in crate::session) const ID_SIZE: usize = 40;

pub(in crate::session) struct List {
    selection: Arc<Selection>,
    /// The list's place among those that its page may watch.
    held_place: Place,
    /// The tasks that have changed since the list began, until it is filled.
    changed: Option<IdMap<Arc<Record>>>,
    /// The tasks that the page has in this list, and those that may have joined it since.
    tasks: IdMap<Listed>,
    pace: Pace,
    /// The tasks whose news waits for the next round.
    held: Turns<TaskId>,
}

#[derive(Default)]
struct Listed {
    /// What the page knows, if it has the task in the list.
    told: Option<Told>,
    /// What the task waits for, if it has news.
    due: Option<Due>,
}

struct Due {
    place: Waits,
    /// `None` if the engine has removed the task: waiting for a page must not keep it in memory.
    record: Option<Arc<Record>>,
}

/// Where a task waits, with its number there.
#[derive(Clone, Copy)]
enum Waits {
    /// It has its turn among the tasks of all lists.
    Turn(u64),
    /// It waits for the list's next round.
    Held(u64),
}

impl Listed {
    /// Returns whether the news of this task is an end that the page doesn't know.
    fn ends(&self, record: &Record, gone: bool) -> bool {
        self.told.is_none_or(|told| !told.has_ended()) && (gone || record.status().is_final())
    }
}

/// The news of a task whose turn it is.
pub(in crate::session) struct Turn {
    /// `None` if nothing has changed that the page would see.
    pub news: Option<ListNews>,
    /// What the page knows after this news. `None` if the page then no longer has the task in the list.
    pub told: Option<Told>,
    /// If the news contains the task's progress: the task, and whether its progress has a rate.
    pub progress: Option<(Arc<Record>, bool)>,
}

pub(in crate::session) enum ListNews {
    Changed(Encoded<TaskSnapshot>),
    Progressed(Encoded<ProgressChange>),
    Removed(TaskId),
}

impl ListNews {
    /// Returns how many bytes the news takes in a message, which travels as text.
    pub(in crate::session) fn len(&self) -> usize {
        match self {
            Self::Changed(snapshot) => snapshot.escaped_len(),
            Self::Progressed(progress) => progress.escaped_len(),
            Self::Removed(_) => ID_SIZE,
        }
    }
}

impl ListChange {
    pub(in crate::session) fn new(watch: u32) -> Self {
        Self { watch, changed: Vec::new(), progressed: Vec::new(), removed: Vec::new() }
    }

    pub(in crate::session) fn add(&mut self, news: ListNews) {
        match news {
            ListNews::Changed(snapshot) => self.changed.push(snapshot),
            ListNews::Progressed(progress) => self.progressed.push(progress),
            ListNews::Removed(id) => self.removed.push(id),
        }
    }
}

impl List {
    /// Returns a list without tasks, which collects the changes of all tasks until it is [filled](Self::fill).
    pub(in crate::session) fn new(selection: Arc<Selection>, held_place: Place, pace: Pace) -> Self {
        let changed = Some(IdMap::default());
        Self { selection, held_place, changed, tasks: IdMap::default(), pace, held: Turns::new() }
    }

    /// Adds the tasks that were found. Returns those that have changed since the list began: [note](Self::note) them.
    pub(in crate::session) fn fill(&mut self, found: &[Found]) -> Vec<Arc<Record>> {
        for Found { record, told, .. } in found {
            self.tasks.insert(record.id, Listed { told: Some(*told), due: None });
        }
        self.changed.take().into_iter().flat_map(IdMap::into_values).collect()
    }

    /// Whether this list, and not a later one of the same number, has this selection.
    pub(in crate::session) fn is_of(&self, selection: &Arc<Selection>) -> bool {
        Arc::ptr_eq(&self.selection, selection)
    }

    /// Ends the list, and returns its place.
    pub(in crate::session) fn into_place(self) -> Place {
        self.held_place
    }

    /// Returns how long it waits between two rounds.
    pub(in crate::session) fn every(&self) -> Duration {
        self.pace.every()
    }

    /// Returns how many entries the list holds.
    pub(in crate::session) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Records that `record` has changed or, if `gone`, that the engine has removed it. It has its turn in this round, or
    /// in the next one unless the change is an end.
    pub(in crate::session) fn note(
        &mut self,
        watch: u32,
        record: &Arc<Record>,
        gone: bool,
        turns: &mut Turns<(u32, TaskId)>,
        now: Instant,
    ) {
        let id = record.id;
        if let Some(changed) = &mut self.changed {
            changed.insert(id, Arc::clone(record));
            return;
        }
        if !self.tasks.contains_key(&id) {
            if gone || !self.selection.has(record) {
                return;
            }
            self.tasks.insert(id, Listed::default());
        }
        let Some(listed) = self.tasks.get_mut(&id) else { return };
        let has_turn = self.pace.allows(now) || listed.ends(record, gone);
        let before = listed.due.take();
        match before.as_ref().map(|due| due.place) {
            Some(Waits::Turn(turn)) if gone && listed.told.is_none() => turns.leave(turn),
            Some(Waits::Held(held)) if has_turn => self.held.leave(held),
            _ => {}
        }
        if gone && listed.told.is_none() {
            self.tasks.remove(&id);
            return;
        }
        let place = match before.map(|due| due.place) {
            Some(place @ Waits::Turn(_)) => place,
            Some(place @ Waits::Held(_)) if !has_turn => place,
            _ if has_turn => Waits::Turn(turns.join((watch, id))),
            _ => Waits::Held(self.held.join(id)),
        };
        listed.due = Some(Due { place, record: (!gone).then(|| Arc::clone(record)) });
    }

    /// Begins the next round if its time has come: gives all tasks that wait for it their turns.
    pub(in crate::session) fn open(&mut self, watch: u32, turns: &mut Turns<(u32, TaskId)>, now: Instant) {
        if !self.pace.allows(now) {
            return;
        }
        while let Some((number, id)) = self.held.first(u64::MAX) {
            self.held.leave(number);
            if let Some(due) = self.tasks.get_mut(&id).and_then(|listed| listed.due.as_mut()) {
                due.place = Waits::Turn(turns.join((watch, id)));
            }
        }
    }

    /// Returns when the next round begins, if any task waits for it.
    pub(in crate::session) fn held_until(&self) -> Option<Instant> {
        (!self.held.is_empty()).then(|| self.pace.next())
    }

    /// Makes the list report this task's progress again, even if it has not changed.
    pub(in crate::session) fn refresh(&mut self, id: TaskId) {
        if let Some(told) = self.tasks.get_mut(&id).and_then(|listed| listed.told.as_mut()) {
            told.refresh();
        }
    }

    /// Returns the news of a task whose turn it is. Once the news is in a message, the caller calls
    /// [`taken`](Self::taken).
    pub(in crate::session) fn turn_of(&self, id: TaskId) -> Turn {
        let listed = self.tasks.get(&id);
        let before = listed.and_then(|listed| listed.told);
        let Some(record) = listed.and_then(|listed| listed.due.as_ref()?.record.as_ref()) else {
            return Turn { news: before.map(|_| ListNews::Removed(id)), told: None, progress: None };
        };
        // A value that can't be serialized, which never happens, must not block the tasks behind it.
        let (news, told, rated) = match self.selection.look(before, record) {
            Look::Same => (None, before, None),
            Look::Gone => (before.map(|_| ListNews::Removed(id)), None, None),
            Look::Progress(sequence, progress, told) => {
                let change = ProgressChange { id, sequence, progress };
                (Encoded::new(&change).ok().map(ListNews::Progressed), Some(told), Some(change.progress.rate.is_some()))
            }
            Look::Snapshot(snapshot, told) => (
                Encoded::new(&*snapshot).ok().map(ListNews::Changed),
                Some(told),
                Some(snapshot.progress.rate.is_some()),
            ),
        };
        Turn { news, told, progress: rated.map(|rated| (Arc::clone(record), rated)) }
    }

    /// Records that the list is told something now.
    pub(in crate::session) fn tell(&mut self, now: Instant) {
        self.pace.tell(now);
    }

    pub(in crate::session) fn taken(&mut self, id: TaskId, told: Option<Told>) {
        if told.is_none() {
            self.tasks.remove(&id);
        } else if let Some(listed) = self.tasks.get_mut(&id) {
            *listed = Listed { told, due: None };
        }
    }

    /// Returns the tasks that the list holds an entry for.
    pub(in crate::session) fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.keys().copied()
    }

    /// Returns the turns of all tasks that have news.
    pub(in crate::session) fn turns(&self) -> impl Iterator<Item = u64> {
        self.tasks.values().filter_map(|listed| match listed.due.as_ref()?.place {
            Waits::Turn(turn) => Some(turn),
            Waits::Held(_) => None,
        })
    }
}
