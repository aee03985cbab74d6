//! A task's progress.
//!
//! The hot side, [`ProgressCell::inc`], is one atomic addition and one load. Whoever shows the progress
//! samples it. Between the two stands `dirty`:
//!
//! - a writer changes a value, then looks at `dirty`, and wakes the watchers if it was clean;
//! - a reader cleans `dirty`, then reads the values.
//!
//! All four steps are `SeqCst`: in their one order either the writer sees the clean flag, or the reader
//! sees the new value. With weaker orders both could miss and the last change would never be shown.
//!
//! There may be several readers. Who cleans the flag counts the revision up for all of them: what was
//! written while the flag was dirty woke nobody. So that nobody sees the flag clean and the revision old,
//! readers take turns, under the lock of the task's state.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::SeqCst},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Error, Json,
    rate::{Estimate, Estimator},
};

/// The longest message, in bytes of JSON.
pub const MESSAGE_LIMIT: usize = 1024;
/// The largest detail, in bytes of JSON.
pub const DETAIL_LIMIT: usize = 4 * 1024;

/// What [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
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

impl Unit {
    const ALL: [Self; 4] = [Self::None, Self::Bytes, Self::Files, Self::Items];
}

/// How far a task has come, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Progress {
    /// How many units are done.
    #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
    pub completed: u64,
    /// How many there are in all, if that is known.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub total: Option<u64>,
    /// `completed / total`, from 0 to 1; `None` without a total.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub fraction: Option<f64>,
    /// What is counted.
    pub unit: Unit,
    /// Units a second, averaged over the last seconds; `None` until it means something.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub rate: Option<f64>,
    /// Milliseconds to go at this rate; `None` until it means something.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub eta_ms: Option<u64>,
    /// What the task is at, in words.
    pub message: Option<Arc<str>>,
    /// What the task is at, typed: the kind's own detail.
    pub detail: Option<Json>,
}

const NO_TOTAL: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct ProgressCell {
    completed: AtomicU64,
    total: AtomicU64,
    unit: AtomicU8,
    dirty: AtomicBool,
    /// How often `dirty` was cleaned: lets each reader tell whether it has shown the newest state.
    revision: AtomicU64,
    words: Mutex<Words>,
    estimator: Mutex<Estimator>,
    /// Whether anybody was ever told a rate, which is none any more when the task has ended.
    rated: AtomicBool,
}

#[derive(Debug, Default, Clone)]
struct Words {
    message: Option<Arc<str>>,
    detail: Option<Json>,
}

impl ProgressCell {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            completed: AtomicU64::new(0),
            total: AtomicU64::new(NO_TOTAL),
            unit: AtomicU8::new(Unit::None as u8),
            dirty: AtomicBool::new(false),
            revision: AtomicU64::new(0),
            words: Mutex::default(),
            estimator: Mutex::new(Estimator::new(now)),
            rated: AtomicBool::new(false),
        }
    }

    /// Each writer answers whether the watchers must be told.
    #[must_use]
    pub(super) fn inc(&self, by: u64) -> bool {
        self.completed.fetch_add(by, SeqCst);
        self.soil()
    }

    #[must_use]
    pub(super) fn set(&self, completed: u64) -> bool {
        self.completed.store(completed, SeqCst);
        self.soil()
    }

    #[must_use]
    pub(super) fn set_total(&self, total: Option<u64>) -> bool {
        self.total.store(total.unwrap_or(NO_TOTAL), SeqCst);
        self.soil()
    }

    #[must_use]
    pub(super) fn set_unit(&self, unit: Unit) -> bool {
        self.unit.store(unit as u8, SeqCst);
        self.soil()
    }

    pub(super) fn set_message(&self, message: &str) -> Result<bool, Error> {
        let size = Json::new(message).map_err(|e| Error::unserializable("the message", &e))?.len();
        if size > MESSAGE_LIMIT {
            return Err(Error::too_large("the progress message", size, MESSAGE_LIMIT));
        }
        self.words.lock().message = Some(message.into());
        Ok(self.soil())
    }

    pub(super) fn set_detail(&self, detail: &impl Serialize) -> Result<bool, Error> {
        let detail = Json::new(detail).map_err(|e| Error::unserializable("the progress detail", &e))?;
        if detail.len() > DETAIL_LIMIT {
            return Err(Error::too_large("the progress detail", detail.len(), DETAIL_LIMIT));
        }
        self.words.lock().detail = Some(detail);
        Ok(self.soil())
    }

    fn soil(&self) -> bool {
        !self.dirty.load(SeqCst) && !self.dirty.swap(true, SeqCst)
    }

    /// Lets the next change wake the watchers again, and says which the newest revision is. To be called
    /// before [`Self::sample`], by one reader at a time.
    pub(super) fn revision(&self) -> u64 {
        let dirty = self.dirty.swap(false, SeqCst);
        self.revision.fetch_add(u64::from(dirty), SeqCst) + u64::from(dirty)
    }

    /// The progress that stays when the work is over, and its revision.
    pub(super) fn last(&self, now: Instant) -> (Progress, u64) {
        let revision = self.revision();
        let progress = Progress { rate: None, eta_ms: None, ..self.sample(now) };
        (progress, revision + u64::from(self.rated.load(SeqCst)))
    }

    /// The work begins (again) now: what passed before says nothing about its rate.
    pub(super) fn begin(&self, now: Instant) {
        *self.estimator.lock() = Estimator::new(now);
    }

    pub(super) fn sample(&self, now: Instant) -> Progress {
        let completed = self.completed.load(SeqCst);
        let total = Some(self.total.load(SeqCst)).filter(|total| *total != NO_TOTAL);
        let Estimate { rate, eta } = self.estimator.lock().read(now, completed, total);
        if rate.is_some() {
            self.rated.store(true, SeqCst);
        }
        let Words { message, detail } = self.words.lock().clone();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Progress {
            completed,
            total,
            fraction: total.map(|total| if total == 0 { 1.0 } else { (completed as f64 / total as f64).min(1.0) }),
            unit: Unit::ALL[usize::from(self.unit.load(SeqCst)) % Unit::ALL.len()],
            rate,
            eta_ms: eta.map(|seconds| (seconds * 1_000.0) as u64),
            message,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_survive_the_cell() {
        let cell = ProgressCell::new(Instant::now());
        for unit in Unit::ALL {
            let _ = cell.set_unit(unit);
            assert_eq!(cell.sample(Instant::now()).unit, unit);
        }
    }

    #[test]
    fn watchers_are_told_once_until_somebody_looks() {
        let cell = ProgressCell::new(Instant::now());
        assert!(cell.inc(1), "the first change is told");
        assert!(!cell.inc(1), "the next is not: nobody has looked yet");
        let seen = cell.revision();
        assert_eq!(cell.sample(Instant::now()).completed, 2);
        assert!(cell.inc(1), "after a look it is told again");
        assert_ne!(cell.revision(), seen);
    }

    #[test]
    fn what_is_too_large_is_refused_and_nothing_changes() {
        let cell = ProgressCell::new(Instant::now());
        let _ = cell.set_message("fine").unwrap();
        let error = cell.set_message(&"x".repeat(MESSAGE_LIMIT)).unwrap_err();
        assert!(error.message.contains("1026 bytes") && error.message.contains("1024"), "{error}");
        assert_eq!(cell.sample(Instant::now()).message.as_deref(), Some("fine"));
        assert!(cell.set_detail(&"x".repeat(DETAIL_LIMIT)).is_err());
        assert_eq!(cell.sample(Instant::now()).detail, None);
    }

    #[test]
    fn what_is_written_while_the_flag_is_dirty_is_a_new_revision() {
        let cell = ProgressCell::new(Instant::now());
        let _ = cell.inc(1);
        let first = cell.revision();
        let _ = cell.inc(1);
        assert_eq!(cell.sample(Instant::now()).completed, 2);
        let _ = cell.inc(1);
        assert_ne!(cell.revision(), first);
        let last = cell.revision();
        assert_eq!(cell.revision(), last, "nothing was written since");
    }

    #[test]
    fn no_change_is_missed_by_a_reader_that_waits_to_be_told() {
        // A writer and a reader race; the reader looks only when told. It must end with the last value.
        const LAST: u64 = 200_000;
        let cell = &ProgressCell::new(Instant::now());
        let (tell, told) = std::sync::mpsc::channel();
        let seen = std::thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..LAST {
                    if cell.inc(1) {
                        tell.send(()).unwrap();
                    }
                }
            });
            let reader = scope.spawn(move || {
                let mut seen = 0;
                while told.recv().is_ok() {
                    cell.revision();
                    seen = cell.sample(Instant::now()).completed;
                }
                seen
            });
            reader.join().unwrap()
        });
        assert_eq!(seen, LAST);
    }
}
