use std::{collections::HashMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{
    clip::{Limit, clip},
    error::{Error, refusal::Refusal},
};

/// How much of a text that is no id an error repeats.
const SHOWN: Limit = Limit::Bytes(64);

/// The id of one task: a UUID. Ids that are made here are of version 7, so they sort by age.
///
/// A caller may choose the id of the task that it starts. A repeated `start` with the same id is then harmless: it
/// returns the task that the first one started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(transparent)]
pub struct TaskId(#[cfg_attr(feature = "__specta", specta(type = String))] Uuid);

/// A map by task id. Callers choose ids, so the hash is seeded anew in each process.
pub type IdMap<T> = HashMap<TaskId, T, foldhash::fast::RandomState>;

impl TaskId {
    /// Returns a new id that no other task has.
    #[allow(clippy::new_without_default)] // Two defaults would differ.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the two halves of the id, which make it again with [`of_halves`](Self::of_halves).
    pub(crate) fn halves(self) -> (u64, u64) {
        self.0.as_u64_pair()
    }

    pub(crate) fn of_halves((high, low): (u64, u64)) -> Self {
        Self(Uuid::from_u64_pair(high, low))
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
    type Err = Error;

    /// Parses an id in its only spelling: lower case, with hyphens. Fails on any other spelling, since callers that use
    /// the text as a key would take it for a different id.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .filter(|id: &Uuid| id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text)
            .map(Self)
            .ok_or_else(|| Refusal::NoId { text: clip(text, SHOWN).into() }.into())
    }
}

impl<'de> Deserialize<'de> for TaskId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::TaskId;

    #[test]
    fn an_id_has_one_spelling() {
        let id = TaskId::new();
        assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
        for other in [id.to_string().to_uppercase(), id.to_string().replace('-', ""), format!("{{{id}}}"), "7".into()] {
            assert!(other.parse::<TaskId>().is_err(), "{other}");
        }
    }
}
