use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of one task: a UUID, version 7 when made here, so that ids sort by age.
///
/// A page makes the ids of the tasks that it starts. That is what makes a repeated `start` harmless:
/// a page that reloads runs its in-flight calls a second time, with the same id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(transparent)]
pub struct TaskId(#[cfg_attr(any(test, feature = "specta"), specta(type = String))] Uuid);

impl TaskId {
    /// A new id that no other task has.
    #[allow(clippy::new_without_default)] // Two defaults would differ.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
