//! The progress of a task: what its handler reports, and what others see of it.

mod atomic;
pub(crate) mod cell;
pub(crate) mod conflation;
mod digits;
pub(crate) mod rate;
pub(crate) mod recording;
pub(crate) mod sampler;
pub(crate) mod sum;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// The unit that [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Unit {
    /// Just a number.
    #[default]
    None,
    /// Bytes.
    Bytes,
    /// Files.
    Files,
    /// Items of any other sort.
    Items,
}

/// The progress of a task at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Progress {
    /// How many units are done.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub completed: u64,
    /// How many units there are in all, if that is known. A batch has a total while those of all its members are known,
    /// unless its kind says that it counts by member. A member that has ended adds what it did to both sums.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub total: Option<u64>,
    /// How much is done, from 0 to 1: `completed / total`, or for a batch without a total the mean of its members'.
    /// That of a batch falls only when there is more to do than was known: a member begins again, or tells its first total
    /// or a larger one.
    /// `None` if that is not known: without a total, with a total of 0, and when more is done than the total. So a task
    /// may complete without a fraction of 1: its status says that it is done.
    #[serde(serialize_with = "digits::fraction")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub fraction: Option<f64>,
    /// The unit that is counted.
    pub unit: Unit,
    /// Units per second, averaged over about ten seconds. The first count of an attempt (`set` or `inc`; not `total`) is
    /// the starting point, and does not count as done since. The rate is there at most a second after the second count,
    /// and `None` once the work has stalled. Don't begin with `set(0)` if part of the work may be done already.
    #[serde(serialize_with = "digits::rate")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub rate: Option<f64>,
    /// The time left at this rate, in milliseconds; `None` without a rate, or if it is not known how much is left. For a
    /// batch without a total it is the time left for its members.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub eta_ms: Option<u64>,
    /// What the task is doing, for people.
    pub message: Option<Arc<str>>,
    /// What the task is doing, as data of a type that its kind chooses.
    pub detail: Option<Json>,
}

impl Progress {
    /// The progress of a task that has reported nothing.
    pub(crate) const NONE: Self = Self {
        completed: 0,
        total: None,
        fraction: None,
        unit: Unit::None,
        rate: None,
        eta_ms: None,
        message: None,
        detail: None,
    };
}
