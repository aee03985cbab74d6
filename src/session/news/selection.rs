use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{Look, Matcher, Record, Told};

use crate::{TaskFilter, TaskSnapshot, access::view::View};

/// Which tasks are in a list: those that the page sees and its filter matches. Whether the page sees a task is asked first.
pub(in crate::session) struct Selection {
    view: View,
    filter: Matcher,
}

/// A task that is in a list, as it was found.
pub(in crate::session) struct Found {
    pub record: Arc<Record>,
    pub snapshot: TaskSnapshot,
    pub told: Told,
}

impl Selection {
    pub(in crate::session) fn new(view: View, filter: &TaskFilter) -> Arc<Self> {
        Arc::new(Self { view, filter: filter.matcher() })
    }

    pub(super) fn has(&self, record: &Record) -> bool {
        record.is_selected(&self.filter, || self.view.is_told(record), || record.status())
    }

    pub(super) fn look(&self, told: Option<Told>, record: &Record) -> Look {
        Told::look(told, record, |shares, status| {
            record.is_selected(&self.filter, || self.view.is_told_of(record.name(), shares), || status)
        })
    }

    /// Returns those of `records` that are in the list, in the same order. Call it without a lock: there may be many.
    pub(in crate::session) fn find(&self, records: Vec<Arc<Record>>) -> Vec<Found> {
        let found = records.into_iter().filter_map(|record| match self.look(None, &record) {
            Look::Snapshot(snapshot, told) => Some(Found { record, snapshot: *snapshot, told }),
            _ => None,
        });
        found.collect()
    }
}
