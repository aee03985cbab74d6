//! How far a task has come: the counter that its handler turns, and what others see of it.

mod atomic;
pub(crate) mod cell;
pub(crate) mod conflation;
mod digits;
mod rate;
pub(crate) mod sum;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// What [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
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

/// How far a task has come, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Progress {
    /// How many units are done.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub completed: u64,
    /// How many there are in all, if that is known.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub total: Option<u64>,
    /// `completed / total`, from 0 to 1; `None` without a total.
    #[serde(serialize_with = "digits::fraction")]
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub fraction: Option<f64>,
    /// What is counted.
    pub unit: Unit,
    /// Units a second, averaged over the last seconds; `None` until it means something.
    #[serde(serialize_with = "digits::rate")]
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub rate: Option<f64>,
    /// Milliseconds to go at this rate; `None` until it means something.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub eta_ms: Option<u64>,
    /// What the task is at, in words.
    pub message: Option<Arc<str>>,
    /// What the task is at, typed: the kind's own detail.
    pub detail: Option<Json>,
}
