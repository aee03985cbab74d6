use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Progress, TaskEvent, TaskFilter, TaskId, TaskSnapshot};

/// The version of the protocol between the page's package and this crate.
pub(crate) const PROTOCOL: u32 = 4;

/// What a session tells its page in one go.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct SessionMessage {
    /// Its number, from 1. The next one comes only when this one was acknowledged.
    #[cfg_attr(test, specta(type = specta_typescript::Number))]
    pub message: u64,
    /// What happened to the tasks that are followed one by one.
    pub events: Vec<Encoded<TaskEvent>>,
    /// What changed in the lists that are watched.
    pub lists: Vec<ListChange>,
    /// Not all fitted: the rest comes with the answer to the acknowledgement, when the next frame is due.
    pub more: bool,
}

/// What changed in one list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct ListChange {
    /// The page's number of the watch.
    pub watch: u32,
    /// The tasks that are new in the list or changed in more than their progress, each as it stands now.
    pub changed: Vec<Encoded<TaskSnapshot>>,
    /// The tasks of which only the progress has changed since they were last told in this list. No task is in more
    /// than one of the three.
    pub progressed: Vec<Encoded<ProgressChange>>,
    /// The tasks that are not in the list any more.
    pub removed: Vec<TaskId>,
}

/// A task of which only the progress has changed since it was last told in a list. All else in its snapshot is as it
/// was.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct ProgressChange {
    /// Its id.
    pub id: TaskId,
    /// The number of its newest status change, as in its snapshot.
    #[cfg_attr(test, specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// How far it has come by now.
    pub progress: Progress,
}

/// What `open` answers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionInfo {
    /// The protocol that is spoken.
    pub protocol: u32,
    /// How long a message may stay unacknowledged, in milliseconds.
    pub lease_ms: u32,
}

/// What a page watches.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub(crate) enum WatchTarget {
    /// One task, each change of it.
    Task {
        /// Its id.
        id: String,
    },
    /// All visible tasks that match, as they stand.
    List {
        /// The page's own number for this watch.
        watch: u32,
        /// Which tasks.
        filter: TaskFilter,
    },
}

/// A value that is already serialized as JSON, so that its size is known before it is sent.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Encoded<T> {
    text: Box<RawValue>,
    #[serde(skip)]
    value: PhantomData<fn() -> T>,
}

impl<T: Serialize> Encoded<T> {
    pub(super) fn new(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self { text: serde_json::value::to_raw_value(value)?, value: PhantomData })
    }

    pub(super) fn len(&self) -> usize {
        self.text.get().len()
    }
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Encoded<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}
