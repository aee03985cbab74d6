//! One list that a page watches: what the page knows about each task, and what has changed since.

use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{IdMap, Look, Record, Told};

use super::turns::Turns;
use crate::{
    TaskFilter, TaskId, TaskSnapshot,
    access::view::View,
    session::message::{Encoded, ListChange, ProgressChange},
};

/// The size in bytes of a task id in escaped quotes.
const ID_SIZE: usize = 40;

pub(in crate::session) struct List {
    filter: TaskFilter,
    view: View,
    /// The tasks that the page has in this list, and those that may have joined it since.
    tasks: IdMap<Listed>,
}

#[derive(Default)]
struct Listed {
    /// What the page knows, if it has the task in the list.
    told: Option<Told>,
    /// The task's turn, if it has news.
    due: Option<Due>,
}

struct Due {
    turn: u64,
    /// `None` if the engine has removed the task: waiting for a page must not keep it in memory.
    record: Option<Arc<Record>>,
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
    /// Returns the list and the snapshots of all tasks in it.
    pub(in crate::session) fn new(
        filter: TaskFilter,
        view: View,
        records: Vec<Arc<Record>>,
    ) -> (Self, Vec<(Arc<Record>, TaskSnapshot)>) {
        let mut list = Self { filter, view, tasks: IdMap::default() };
        let mut all = Vec::with_capacity(records.len());
        for record in records {
            if let Look::Snapshot(snapshot, told) = list.look(None, &record) {
                list.tasks.insert(record.id, Listed { told: Some(told), due: None });
                all.push((record, *snapshot));
            }
        }
        (list, all)
    }

    fn look(&self, told: Option<Told>, record: &Record) -> Look {
        Told::look(told, record, |owner, status| {
            self.view.sees_task_of(record.name(), owner) && record.matches_in(&self.filter, status)
        })
    }

    /// Returns how many entries the list holds.
    pub(in crate::session) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Records that `record` has changed or, if `gone`, that the engine has removed it.
    pub(in crate::session) fn note(
        &mut self,
        watch: u32,
        record: &Arc<Record>,
        gone: bool,
        turns: &mut Turns<(u32, TaskId)>,
    ) {
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
        let (news, told, rated) = match self.look(before, record) {
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

    pub(in crate::session) fn taken(&mut self, id: TaskId, told: Option<Told>) {
        if told.is_none() {
            self.tasks.remove(&id);
        } else if let Some(listed) = self.tasks.get_mut(&id) {
            *listed = Listed { told, due: None };
        }
    }

    /// Returns the turns of all tasks that have news.
    pub(in crate::session) fn turns(&self) -> impl Iterator<Item = u64> {
        self.tasks.values().filter_map(|listed| listed.due.as_ref().map(|due| due.turn))
    }
}
