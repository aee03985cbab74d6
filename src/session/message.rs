use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::value::RawValue;

use tauri_plugin_tasks_engine::delivery::read_exactly;

use crate::{Json, Progress, TaskEvent, TaskFilter, TaskId, TaskSnapshot};

/// The version of the protocol between the npm package and this crate.
///
/// It goes up only if an old client would misread what it gets. New fields, statuses, kinds of event, reasons and kinds of
/// error don't raise it: a client leaves out what it doesn't know.
pub(crate) const PROTOCOL: u32 = 5;

/// One message from a session to its page.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct SessionMessage {
    /// The message's number, from 1. The next message comes only after the page has acknowledged this one.
    #[cfg_attr(test, specta(type = specta_typescript::Number))]
    pub message: u64,
    /// The events of the tasks that the page watches one by one.
    pub events: Vec<Encoded<TaskEvent>>,
    /// The changes in the lists that the page watches.
    pub lists: Vec<ListChange>,
    /// The tasks that the page watched one by one and may no longer be told of. Nothing more comes of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, specta(optional))]
    pub removed: Vec<TaskId>,
    /// Whether something did not fit. The rest comes in the response to the acknowledgement, once the next frame is
    /// due.
    pub more: bool,
}

/// A message as it travels: its JSON text in a string, which the page parses.
///
/// Tauri evaluates a small payload of a channel as JavaScript and lets the page fetch and parse a large one. In
/// JavaScript, `{ "__proto__": … }` sets the prototype; in JSON, it is a field like any other. As text, both sizes come
/// out the same.
#[derive(Debug)]
pub(crate) struct MessageText(pub SessionMessage);

impl Serialize for MessageText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(&self.0).map_err(S::Error::custom)?)
    }
}

#[cfg(test)]
impl specta::Type for MessageText {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        String::definition(types)
    }
}

/// The changes in one watched list. A task is in at most one of `changed`, `progressed` and `removed`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct ListChange {
    /// The number that the page chose for the watch.
    pub watch: u32,
    /// The current snapshots of the tasks that are new in the list, or changed in more than their progress.
    pub changed: Vec<Encoded<TaskSnapshot>>,
    /// The new progress of the tasks that have changed in nothing else since this list last reported them.
    pub progressed: Vec<Encoded<ProgressChange>>,
    /// The tasks that are no longer in the list.
    pub removed: Vec<TaskId>,
}

/// The new progress of a task in a list. Nothing else in its snapshot has changed since the list last reported it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct ProgressChange {
    /// The task's id.
    pub id: TaskId,
    /// The number of the task's newest status change, as in its snapshot.
    #[cfg_attr(test, specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// The task's current progress.
    pub progress: Progress,
}

/// The response of `open`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionInfo {
    /// The version of the protocol that the plugin speaks.
    pub protocol: u32,
    /// How long the page may leave a message unacknowledged, in milliseconds.
    pub lease_ms: u32,
}

/// Whether a page can be seen. A hidden page may be suspended at any time, so its silence means less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct Visibility {
    /// Whether it is hidden, as its `document.visibilityState` says.
    pub hidden: bool,
    /// How often this has changed in the page. A call may overtake another one, so the state with the highest number
    /// counts.
    pub change: u32,
}

/// What a page starts or stops watching.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub(crate) enum WatchTarget {
    /// One task. The session reports each of its changes.
    Task {
        /// The task's id.
        id: String,
    },
    /// All visible tasks that match `filter`. The session reports their newest state.
    List {
        /// The number that the page chooses for this watch.
        #[serde(deserialize_with = "watch_number")]
        #[cfg_attr(test, specta(type = u32))]
        watch: u32,
        /// Selects the tasks.
        #[serde(deserialize_with = "filter")]
        #[cfg_attr(test, specta(type = TaskFilter))]
        filter: TaskFilter,
    },
}

/// Reads the number of a watch. An error names it, which serde does not do here.
fn watch_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    read_exactly(&Json::deserialize(deserializer)?)
        .map_err(|misfit| D::Error::custom(format!("watch: {}", misfit.problem)))
}

/// Reads a filter, but not from a list of its fields.
fn filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TaskFilter, D::Error> {
    let json = Json::deserialize(deserializer)?;
    if json.text().starts_with('[') {
        return Err(D::Error::custom("it is a list"));
    }
    read_exactly(&json).map_err(|misfit| D::Error::custom(format!("filter.{}: {}", misfit.path, misfit.problem)))
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

    /// Returns how many bytes the value takes in a [`MessageText`].
    pub(super) fn escaped_len(&self) -> usize {
        escaped_len(self.text.get())
    }
}

/// Returns the length of this JSON, in bytes, as a part of a string. Quotes, backslashes, line breaks and tabs take two
/// bytes there, and nothing else has to be escaped: JSON has no other control characters.
pub(super) fn escaped_len(json: &str) -> usize {
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t')).count()
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Encoded<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}
