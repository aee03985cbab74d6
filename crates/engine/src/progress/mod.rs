//! The progress of a task: what its handler reports, and what others see of it.

mod atomic;
pub(crate) mod cell;
pub(crate) mod conflation;
mod digits;
mod rate;
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
    /// How many units there are in all, if that is known.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub total: Option<u64>,
    /// `completed / total`, from 0 to 1; `None` without a total.
    #[serde(serialize_with = "digits::fraction")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub fraction: Option<f64>,
    /// The unit that is counted.
    pub unit: Unit,
    /// Units per second, averaged over the last seconds; `None` until there is enough to go by.
    #[serde(serialize_with = "digits::rate")]
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub rate: Option<f64>,
    /// The time left at this rate, in milliseconds; `None` until there is enough to go by.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub eta_ms: Option<u64>,
    /// What the task is doing, for people.
    pub message: Option<Arc<str>>,
    /// What the task is doing, as data of a type that its kind chooses.
    pub detail: Option<Json>,
}
