use std::{collections::HashSet, hash::Hash};

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    TaskId, TaskStatus,
    json::bounded,
    start_options::{KEY_LIMIT, TAG_LIMIT},
};

/// How many entries a list of a filter that is deserialized may have.
const ENTRIES_LIMIT: usize = 256;
/// The longest name in such a filter, in bytes.
const NAME_LIMIT: usize = 1024;

/// Selects the tasks to list or watch: those that match every given part. The default matches all tasks.
///
/// A filter that is deserialized has at most 256 entries in each part. None of its names may be longer than 1 KiB, no tag
/// longer than 1 KiB, and no key longer than 4 KiB, since no task has a longer one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TaskFilter {
    /// The task's kind has one of these names.
    #[serde(deserialize_with = "names")]
    #[cfg_attr(feature = "__specta", specta(type = Option<Vec<String>>))]
    pub task: Option<Vec<String>>,
    /// The task has one of these statuses.
    #[serde(deserialize_with = "bounded::list::<_, _, ENTRIES_LIMIT>")]
    #[cfg_attr(feature = "__specta", specta(type = Option<Vec<TaskStatus>>))]
    pub status: Option<Vec<TaskStatus>>,
    /// The task has at least one of these tags.
    #[serde(deserialize_with = "tags")]
    #[cfg_attr(feature = "__specta", specta(type = Option<Vec<String>>))]
    pub tag: Option<Vec<String>>,
    /// The task has one of these keys.
    #[serde(deserialize_with = "keys")]
    #[cfg_attr(feature = "__specta", specta(type = Option<Vec<String>>))]
    pub key: Option<Vec<String>>,
    /// The task is a member of one of these batches.
    #[serde(deserialize_with = "bounded::list::<_, _, ENTRIES_LIMIT>")]
    #[cfg_attr(feature = "__specta", specta(type = Option<Vec<TaskId>>))]
    pub parent: Option<Vec<TaskId>>,
}

impl TaskFilter {
    /// Makes a filter that matches all tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches tasks of the kind `name` too. The first call narrows the filter from all kinds to this one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task.get_or_insert_default().push(name.into());
        self
    }

    /// Matches tasks in this status too. The first call narrows the filter from all statuses to this one.
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.status.get_or_insert_default().push(status);
        self
    }

    /// Matches tasks with this tag too. The first call narrows the filter to tasks with this tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag.get_or_insert_default().push(tag.into());
        self
    }

    /// Matches tasks with this key too. The first call narrows the filter to tasks with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key.get_or_insert_default().push(key.into());
        self
    }

    /// Matches members of this batch too. The first call narrows the filter to members of this batch.
    #[must_use]
    pub fn parent(mut self, batch: TaskId) -> Self {
        self.parent.get_or_insert_default().push(batch);
        self
    }

    /// Returns what tells quickly whether a task matches, however many entries there are.
    pub fn matcher(&self) -> Matcher {
        Matcher {
            task: set(self.task.as_deref()),
            status: set(self.status.as_deref()),
            tag: set(self.tag.as_deref()),
            key: set(self.key.as_deref()),
            parent: set(self.parent.as_deref()),
        }
    }
}

fn set<T: Clone + Eq + Hash>(entries: Option<&[T]>) -> Option<Set<T>> {
    entries.map(|entries| entries.iter().cloned().collect())
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    bounded::texts::<_, ENTRIES_LIMIT, NAME_LIMIT>(deserializer)
}

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    bounded::texts::<_, ENTRIES_LIMIT, TAG_LIMIT>(deserializer)
}

fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    bounded::texts::<_, ENTRIES_LIMIT, KEY_LIMIT>(deserializer)
}

/// Callers choose what is in it, so the hash is seeded anew in each process.
type Set<T> = HashSet<T, RandomState>;

/// A [`TaskFilter`] in which each entry is found at once.
#[derive(Debug)]
pub struct Matcher {
    task: Option<Set<String>>,
    status: Option<Set<TaskStatus>>,
    tag: Option<Set<String>>,
    key: Option<Set<String>>,
    parent: Option<Set<TaskId>>,
}

impl Matcher {
    pub(crate) fn matches(&self, task: &Filtered<'_>) -> bool {
        self.task.as_ref().is_none_or(|names| names.contains(task.name))
            && self.status.as_ref().is_none_or(|statuses| statuses.contains(&task.status))
            && self.tag.as_ref().is_none_or(|tags| task.tags.iter().any(|tag| tags.contains(tag)))
            && self.key.as_ref().is_none_or(|keys| task.key.is_some_and(|key| keys.contains(key)))
            && self.parent.as_ref().is_none_or(|batches| task.parent.is_some_and(|batch| batches.contains(&batch)))
    }
}

/// The parts of a task that a [`Matcher`] checks.
pub struct Filtered<'a> {
    pub name: &'a str,
    pub status: TaskStatus,
    pub tags: &'a [String],
    pub key: Option<&'a str>,
    pub parent: Option<TaskId>,
}

#[cfg(test)]
mod tests;
