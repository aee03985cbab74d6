use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    clip::{Limit, clip},
    error::{Error, refusal::Refusal},
    json::bounded,
};

/// The longest label.
const LABEL_LIMIT: Limit = Limit::Bytes(256);
/// The longest key, in bytes. Tasks are found by their keys and tags, so these are never clipped.
pub(crate) const KEY_LIMIT: usize = 4 * 1024;
/// The longest tag, in bytes.
pub(crate) const TAG_LIMIT: usize = 1024;
const TAGS_LIMIT: usize = 16;
/// The longest time in JSON, in milliseconds: the largest whole number that JavaScript holds exactly.
const MILLIS_LIMIT: f64 = 9_007_199_254_740_991.0;

/// The options of one start, in addition to its kind and its input.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{OnConflict, StartOptions};
///
/// let options = StartOptions::new()
///     .key("library", OnConflict::Join)
///     .label("Sync the library")
///     .tag("sync")
///     .priority(10)
///     .deadline(Duration::from_secs(60 * 60));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct StartOptions {
    /// Tasks with a higher priority run first; the default is 0. Among equal priorities the oldest task runs first.
    pub(crate) priority: i32,
    /// Whether the task is held until it is resumed.
    pub(crate) held: bool,
    /// The task's key: see `onConflict`.
    pub(crate) key: Option<String>,
    /// What happens if a live task of the kind already has the key.
    pub(crate) on_conflict: OnConflict,
    /// A name to show to people.
    #[serde(deserialize_with = "label")]
    #[cfg_attr(feature = "__specta", specta(type = Option<String>))]
    pub(crate) label: Option<String>,
    /// Words to find the task by.
    #[serde(deserialize_with = "tags")]
    #[cfg_attr(feature = "__specta", specta(type = Vec<String>))]
    pub(crate) tags: Arc<Vec<String>>,
    /// How long the task waits before it may run, in milliseconds. It is `queued` meanwhile.
    #[serde(rename = "delayMs", deserialize_with = "millis")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub(crate) delay: Option<Duration>,
    /// How long the task may take from the start of its first attempt, in milliseconds. The limit of its kind holds if
    /// that is shorter.
    #[serde(rename = "timeoutMs", deserialize_with = "millis")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub(crate) timeout: Option<Duration>,
    /// How long the task may take from now on, waiting included, in milliseconds. The limit of its kind holds if that
    /// is shorter.
    #[serde(rename = "deadlineMs", deserialize_with = "millis")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub(crate) deadline: Option<Duration>,
}

/// The options of a batch, in addition to its kind and its inputs.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::BatchOptions;
///
/// let options = BatchOptions::new().concurrency(4).label("Holiday pictures");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchOptions {
    /// How many members may run at once, within the other limits. By default the batch adds no limit.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub(crate) concurrency: Option<usize>,
    /// The priority of the members.
    pub(crate) priority: i32,
    /// A name to show to people for the batch.
    #[serde(deserialize_with = "label")]
    #[cfg_attr(feature = "__specta", specta(type = Option<String>))]
    pub(crate) label: Option<String>,
    /// Words to find the batch and its members by.
    #[serde(deserialize_with = "tags")]
    #[cfg_attr(feature = "__specta", specta(type = Vec<String>))]
    pub(crate) tags: Arc<Vec<String>>,
}

/// What a start does when a live task of the same kind already has its key.
///
/// The names in brackets are those of `ExistingWorkPolicy` in Android's `WorkManager`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum OnConflict {
    /// The start fails with [`ErrorKind::KeyTaken`](crate::ErrorKind::KeyTaken).
    #[default]
    Refuse,
    /// Nothing is started: the caller gets the live task (`KEEP`).
    Join,
    /// The live task is cancelled with the reason `replaced`. The new task waits until the live one has ended
    /// (`REPLACE`).
    Replace,
    /// The new task waits until the live one has ended, however it ends (`APPEND_OR_REPLACE`; with plain `APPEND` it
    /// would fail with the live one).
    Append,
}

impl StartOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the priority. Tasks with a higher priority run first; the default is 0. Among equal priorities the oldest
    /// task runs first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Holds the task in its queue until [`TaskHandle::resume`](crate::TaskHandle::resume).
    #[must_use]
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Sets a key of up to 4 KiB. Two live tasks of a kind with the same key never run at once. `on_conflict` says
    /// what happens if a live task already has the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>, on_conflict: OnConflict) -> Self {
        self.key = Some(key.into());
        self.on_conflict = on_conflict;
        self
    }

    /// Sets a name to show to people. One of more than 256 bytes is cut at a character and ends with `…`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(clip(label.into(), LABEL_LIMIT).into());
        self
    }

    /// Adds a tag, a word of up to 1 KiB to find the task by. A task can have up to 16 tags.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.tags).push(tag.into());
        self
    }

    /// Makes the task wait this long before it may run. It is `queued` meanwhile. The time in which the machine sleeps
    /// counts.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Limits how long the task may take from the start of its first attempt. If `Task::timeout` of its kind is
    /// shorter, that one applies. A start with a timeout of zero is refused. The time in which the machine sleeps doesn't count.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Limits how long the task may take from its start call on. Waiting and the time in which the machine sleeps count.
    /// If `Task::deadline` of its kind is shorter, that one applies. A task whose delay is longer always times out, and a
    /// start with a deadline of zero is refused.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Returns how many bytes of text are kept. The tags of a member are those of its batch.
    pub(crate) fn kept_bytes(&self, is_member: bool) -> usize {
        let tags = self.tags.iter().filter(|_| !is_member);
        self.key.iter().chain(&self.label).chain(tags).map(String::len).sum()
    }

    /// Whether the start may lead to an existing task.
    pub(crate) fn may_join(&self) -> bool {
        self.on_conflict == OnConflict::Join && self.key.is_some()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.tags.len() > TAGS_LIMIT {
            return Err(Refusal::TooManyTags { limit: TAGS_LIMIT, count: self.tags.len() }.into());
        }
        // A page knows them by other names.
        for (path, limit) in
            [("timeout (on a page timeoutMs)", self.timeout), ("deadline (on a page deadlineMs)", self.deadline)]
        {
            if limit == Some(Duration::ZERO) {
                let problem = format!(
                    "it is zero, so the task would time out at once: leave it out for no limit (in a page it is {path}Ms)"
                );
                return Err(Refusal::InvalidOptions { path: path.to_owned(), problem }.into());
            }
        }
        let keys = self.key.iter().map(|key| ("key", KEY_LIMIT, key));
        for (what, limit, text) in keys.chain(self.tags.iter().map(|tag| ("tag", TAG_LIMIT, tag))) {
            if text.len() > limit {
                return Err(Refusal::LongText { what, limit, size: text.len() }.into());
            }
        }
        Ok(())
    }
}

impl BatchOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how many members may run at once, within the limits of the app, the kind and the group. With 0 no member
    /// ever runs, because this limit can't be changed. A member whose handler awaits another task that it has started
    /// doesn't count: see [`TaskHandle::outcome`](crate::TaskHandle::outcome).
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = Some(concurrency);
        self
    }

    /// Sets the priority of the members: see [`StartOptions::priority`].
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Sets a name to show to people for the batch. One of more than 256 bytes is cut at a character and ends with `…`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(clip(label.into(), LABEL_LIMIT).into());
        self
    }

    /// Adds a tag, a word of up to 1 KiB to find the batch and its members by. A batch can have up to 16 tags.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.tags).push(tag.into());
        self
    }

    /// Returns the options of the batch itself, and those of each member.
    pub(crate) fn split(self) -> (StartOptions, StartOptions) {
        let Self { priority, label, tags, .. } = self;
        let batch = StartOptions { label, tags: Arc::clone(&tags), ..StartOptions::default() };
        (batch, StartOptions { priority, tags, ..StartOptions::default() })
    }
}

fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let label = Option::<String>::deserialize(deserializer)?;
    Ok(label.map(|label| clip(label, LABEL_LIMIT).into()))
}

/// Reads no more tags than there may be.
fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Vec<String>>, D::Error> {
    let tags = bounded::list::<_, _, TAGS_LIMIT>(deserializer)?;
    tags.map(Arc::new).ok_or_else(|| serde::de::Error::custom("expected a list of texts"))
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let millis = Option::<f64>::deserialize(deserializer)?;
    let time = |millis: f64| {
        let fits = (0.0..=MILLIS_LIMIT).contains(&millis);
        fits.then(|| Duration::try_from_secs_f64(millis / 1_000.0).ok()).flatten().ok_or_else(|| {
            serde::de::Error::custom(format!("expected milliseconds: a number from 0 to {MILLIS_LIMIT}"))
        })
    };
    millis.map(time).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_milliseconds_and_a_typo_is_an_error() {
        let read = serde_json::from_value::<StartOptions>;
        let options = read(json!({ "delayMs": 1500, "onConflict": "append", "key": "k" })).unwrap();
        assert_eq!(options, StartOptions::new().delay(Duration::from_millis(1_500)).key("k", OnConflict::Append));
        for wrong in [json!({ "delay": 1 }), json!({ "delayMs": -1 }), json!({ "timeoutMs": "soon" })] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        for field in ["delayMs", "timeoutMs", "deadlineMs"] {
            assert!(read(json!({ field: MILLIS_LIMIT })).is_ok(), "{field}");
            for over in [MILLIS_LIMIT + 1.0, 1e300] {
                let error = read(json!({ field: over })).unwrap_err().to_string();
                assert!(error.contains("from 0 to 9007199254740991"), "{error}");
            }
        }
    }

    #[test]
    fn long_keys_and_tags_and_too_many_tags_are_refused_with_the_limit() {
        let (key, tag) = (|length| "k".repeat(length), |length| "t".repeat(length));
        let fine = StartOptions::new().key(key(4_096), OnConflict::Refuse).tag(tag(1_024));
        assert!(fine.check().is_ok());
        for (options, limit, size) in [
            (StartOptions::new().key(key(4_097), OnConflict::Refuse), "4096", "4097"),
            (StartOptions::new().tag("short").tag(tag(1_025)), "1024", "1025"),
            (BatchOptions::new().tag(tag(1_025)).split().0, "1024", "1025"),
        ] {
            let error = options.check().unwrap_err();
            assert!(error.message.contains(limit) && error.message.contains(size), "{error}");
        }
        let many = (0..17).fold(StartOptions::new(), |options, n| options.tag(n.to_string()));
        assert!(many.check().unwrap_err().message.contains("16 tags"));
    }

    #[test]
    fn a_limit_of_zero_is_refused_and_a_short_one_is_not() {
        let (zero, short) = (Duration::ZERO, Duration::from_nanos(1));
        for (options, name, on_page) in [
            (StartOptions::new().timeout(zero), "timeout ", "timeoutMs"),
            (StartOptions::new().deadline(zero).timeout(short), "deadline ", "deadlineMs"),
            (serde_json::from_value(json!({ "timeoutMs": 0 })).unwrap(), "timeout ", "timeoutMs"),
            (serde_json::from_value(json!({ "deadlineMs": 0.0 })).unwrap(), "deadline ", "deadlineMs"),
        ] {
            let error = options.check().unwrap_err();
            assert_eq!(error.kind, crate::ErrorKind::InvalidOptions);
            assert!([name, on_page, "leave it out"].iter().all(|part| error.message.contains(part)), "{error}");
        }
        assert!(StartOptions::new().timeout(short).deadline(short).delay(zero).check().is_ok());
    }

    #[test]
    fn a_long_label_is_clipped_wherever_it_comes_from() {
        for (label, shown) in [("é".repeat(128), "é".repeat(128)), ("é".repeat(129), "é".repeat(126) + "…")] {
            let read = json!({ "label": label });
            let labels = [
                StartOptions::new().label(&label).label,
                BatchOptions::new().label(&label).label,
                BatchOptions::new().label(&label).split().0.label,
                serde_json::from_value::<StartOptions>(read.clone()).unwrap().label,
                serde_json::from_value::<BatchOptions>(read).unwrap().label,
            ];
            assert!(labels.iter().all(|label| label.as_deref() == Some(&*shown)), "{labels:?}");
        }
        let none = serde_json::from_value::<StartOptions>(json!({ "label": null })).unwrap();
        assert_eq!(none, StartOptions::default());
    }
}
