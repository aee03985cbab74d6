//! One list that a page watches: what it has been told of each task, and what is new since.

use std::sync::Arc;

use super::{
    message::{Encoded, ListChange, ProgressChange},
    turns::Turns,
};
use crate::{TaskFilter, TaskId, TaskSnapshot, ipc::caller::View};
use tauri_plugin_tasks_engine::delivery::{Entry, EntryLook, IdMap, Record};

/// A task id in quotes.
const ID_SIZE: usize = 38;

pub(super) struct List {
    filter: TaskFilter,
    view: View,
    /// The tasks that the page has in this list, and those that may be in it by now.
    tasks: IdMap<Listed>,
}

#[derive(Default)]
struct Listed {
    /// What the page has been told, if it has it in the list.
    told: Option<Entry>,
    /// Its place among those with something to tell.
    due: Option<Due>,
}

struct Due {
    turn: u64,
    /// `None` if there is no such task any more: who waits for a page must not keep what the engine has let go of.
    record: Option<Arc<Record>>,
}

/// What there is to tell of a task whose turn it is.
pub(super) struct Turn {
    /// `None` if nothing has changed that the page would see.
    pub news: Option<News>,
    /// What the page has been told when it was told that; `None` if it does not have the task in the list then.
    pub told: Option<Entry>,
    /// The task, and whether its progress has a rate, if that is told.
    pub progress: Option<(Arc<Record>, bool)>,
}

pub(super) enum News {
    Changed(Encoded<TaskSnapshot>),
    Progressed(Encoded<ProgressChange>),
    Removed(TaskId),
}

impl News {
    /// How many bytes it takes in a message.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Changed(snapshot) => snapshot.len(),
            Self::Progressed(progress) => progress.len(),
            Self::Removed(_) => ID_SIZE,
        }
    }
}

impl ListChange {
    pub(super) fn new(watch: u32) -> Self {
        Self { watch, changed: Vec::new(), progressed: Vec::new(), removed: Vec::new() }
    }

    pub(super) fn add(&mut self, news: News) {
        match news {
            News::Changed(snapshot) => self.changed.push(snapshot),
            News::Progressed(progress) => self.progressed.push(progress),
            News::Removed(id) => self.removed.push(id),
        }
    }
}

impl List {
    /// The list as it stands, with all that is in it.
    pub(super) fn new(
        filter: TaskFilter,
        view: View,
        records: Vec<Arc<Record>>,
    ) -> (Self, Vec<(Arc<Record>, TaskSnapshot)>) {
        let mut list = Self { filter, view, tasks: IdMap::default() };
        let mut all = Vec::with_capacity(records.len());
        for record in records {
            if let EntryLook::Snapshot(snapshot, told) = list.look(None, &record) {
                list.tasks.insert(record.id, Listed { told: Some(told), due: None });
                all.push((record, *snapshot));
            }
        }
        (list, all)
    }

    fn look(&self, told: Option<Entry>, record: &Record) -> EntryLook {
        Entry::look(told, record, |owner, status| {
            self.view.sees_task_of(record.name(), owner) && record.matches_in(&self.filter, status)
        })
    }

    /// How many tasks it keeps something of.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// `record` has changed, or is `gone` from the engine.
    pub(super) fn note(&mut self, watch: u32, record: &Arc<Record>, gone: bool, turns: &mut Turns<(u32, TaskId)>) {
        let id = record.id;
        let Some(listed) = self.tasks.get_mut(&id) else {
            if !gone && self.view.sees(record) && record.matches(&self.filter) {
                let due = Due { turn: turns.join((watch, id)), record: Some(Arc::clone(record)) };
                self.tasks.insert(id, Listed { told: None, due: Some(due) });
            }
            return;
        };
        match &mut listed.due {
            Some(due) if gone && listed.told.is_none() => {
                turns.leave(due.turn);
                self.tasks.remove(&id);
            }
            Some(due) if gone => due.record = None,
            Some(_) => {}
            None => {
                let record = (!gone).then(|| Arc::clone(record));
                listed.due = Some(Due { turn: turns.join((watch, id)), record });
            }
        }
    }

    /// Has its progress told again, changed or not.
    pub(super) fn refresh(&mut self, id: TaskId) {
        if let Some(told) = self.tasks.get_mut(&id).and_then(|listed| listed.told.as_mut()) {
            told.refresh();
        }
    }

    /// What there is to tell of a task whose turn it is. Once that is on its way, it has [`taken`](Self::taken) it.
    pub(super) fn turn_of(&self, id: TaskId) -> Turn {
        let listed = self.tasks.get(&id);
        let before = listed.and_then(|listed| listed.told);
        let Some(record) = listed.and_then(|listed| listed.due.as_ref()?.record.as_ref()) else {
            return Turn { news: before.map(|_| News::Removed(id)), told: None, progress: None };
        };
        // What can't be written, which does not happen, must not hold up what comes behind it.
        let (news, told, rated) = match self.look(before, record) {
            EntryLook::Same => (None, before, None),
            EntryLook::Gone => (before.map(|_| News::Removed(id)), None, None),
            EntryLook::Progress(sequence, progress, told) => {
                let change = ProgressChange { id, sequence, progress };
                (Encoded::new(&change).ok().map(News::Progressed), Some(told), Some(change.progress.rate.is_some()))
            }
            EntryLook::Snapshot(snapshot, told) => {
                (Encoded::new(&*snapshot).ok().map(News::Changed), Some(told), Some(snapshot.progress.rate.is_some()))
            }
        };
        Turn { news, told, progress: rated.map(|rated| (Arc::clone(record), rated)) }
    }

    pub(super) fn taken(&mut self, id: TaskId, told: Option<Entry>) {
        if told.is_none() {
            self.tasks.remove(&id);
        } else if let Some(listed) = self.tasks.get_mut(&id) {
            *listed = Listed { told, due: None };
        }
    }

    /// The turns of those that wait for one.
    pub(super) fn turns(&self) -> impl Iterator<Item = u64> {
        self.tasks.values().filter_map(|listed| listed.due.as_ref().map(|due| due.turn))
    }
}
