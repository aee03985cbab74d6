//! The progress of one task.
//!
//! The hot path, [`ProgressCell::inc`], is one atomic addition. Watchers sample the progress when they show it.
//! [`conflation`](super::conflation) says why they never miss a change.
//!
//! Everything else is in a [`Rest`], under a lock. The `Rest` is made when it is first needed and dropped at the end,
//! so tasks that wait or have ended are small. A new attempt resets everything under that lock, and samples are taken
//! under it, so no sample mixes two attempts.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use super::{
    Progress, Unit,
    conflation::Conflation,
    rate::{Estimate, Estimator},
    sum::Sum,
};
use crate::{
    clip::{Limit, clip},
    error::Error,
    json::Json,
    lock::{Lock, PROGRESS},
};

/// The longest message.
const MESSAGE_LIMIT: Limit = Limit::Json(1024);
/// The largest detail, in bytes of JSON.
const DETAIL_LIMIT: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct ProgressCell {
    conflation: Conflation,
    rest: Lock<Slot, PROGRESS>,
}

/// The [`Rest`], which is made when something that it holds is first reported, or when a task that has begun is first
/// sampled.
#[derive(Debug, Default)]
struct Slot {
    /// When the attempt began; `None` before the first one and after the end.
    begun: Option<Instant>,
    made: Option<Box<Rest>>,
}

impl Slot {
    fn begun(at: Instant) -> Self {
        Self { begun: Some(at), made: None }
    }

    fn is_idle(&self) -> bool {
        self.begun.is_none() && self.made.is_none()
    }

    fn make(&mut self) -> &mut Rest {
        let begun = self.begun;
        self.made.get_or_insert_with(|| Rest::new(begun.unwrap_or_else(Instant::now)))
    }
}

/// The progress that is not in the [`Conflation`].
#[derive(Debug)]
struct Rest {
    unit: Unit,
    message: Option<Arc<str>>,
    detail: Option<Json>,
    /// `None` if it follows from the counter and the total.
    fraction: Option<f64>,
    estimator: Estimator,
    /// Whether a sample had a rate. If so, the progress at the end is a new revision, because it never has a rate.
    rated: bool,
}

impl Rest {
    fn new(now: Instant) -> Box<Self> {
        Box::new(Self {
            unit: Unit::None,
            message: None,
            detail: None,
            fraction: None,
            estimator: Estimator::new(now),
            rated: false,
        })
    }
}

/// A detail that is within its limit.
pub(crate) struct Detail(Json);

impl Detail {
    /// Don't call it under a lock: the detail's `Serialize` is the app's code. Fails if that fails or panics, or if the
    /// detail is too large.
    pub(crate) fn new(detail: &impl Serialize) -> Result<Self, Error> {
        const WHAT: &str = "the progress detail";
        let json = Json::new_guarded(detail).map_err(|problem| Error::unserializable(WHAT, &problem))?;
        if json.len() > DETAIL_LIMIT {
            return Err(Error::too_large(WHAT, json.len(), DETAIL_LIMIT));
        }
        Ok(Self(json))
    }
}

impl ProgressCell {
    pub(crate) fn new() -> Self {
        Self { conflation: Conflation::new(), rest: Lock::new(Slot::default()) }
    }

    /// Like all writers, returns whether the watchers have to be told.
    #[inline]
    #[must_use]
    pub(crate) fn inc(&self, by: u64) -> bool {
        self.conflation.inc(by)
    }

    #[must_use]
    pub(crate) fn set(&self, completed: u64) -> bool {
        self.conflation.set(completed)
    }

    #[must_use]
    pub(crate) fn set_total(&self, total: Option<u64>) -> bool {
        self.conflation.set_total(total)
    }

    #[must_use]
    pub(crate) fn set_unit(&self, unit: Unit) -> bool {
        self.change(|rest| rest.unit = unit)
    }

    /// A message over its limit is clipped.
    #[must_use]
    pub(crate) fn set_message(&self, message: &str) -> bool {
        let message = Some(clip(message, MESSAGE_LIMIT).into());
        self.change(|rest| rest.message = message)
    }

    #[must_use]
    pub(crate) fn set_detail(&self, detail: Detail) -> bool {
        self.change(|rest| rest.detail = Some(detail.0))
    }

    /// Notes a report that changes nothing: it only shows that the handler does not stall.
    #[must_use]
    pub(crate) fn touch(&self) -> bool {
        self.conflation.report()
    }

    /// Sets the progress of a batch. No sample sees only a part of it, since samples are taken under the same lock.
    #[must_use]
    pub(crate) fn set_sum(&self, sum: Sum) -> bool {
        let mut slot = self.rest.lock();
        let rest = slot.make();
        (rest.unit, rest.fraction) = (sum.unit, Some(sum.fraction));
        let told = [self.conflation.set(sum.completed), self.conflation.set_total(sum.total)];
        told.contains(&true)
    }

    fn change(&self, change: impl FnOnce(&mut Rest)) -> bool {
        change(self.rest.lock().make());
        self.conflation.report()
    }

    /// Returns whether anything was reported since the last call.
    #[must_use]
    pub(crate) fn take_touched(&self) -> bool {
        self.conflation.take_touched()
    }

    /// Lets the next change wake the watchers again. Returns the newest revision. Call it before [`Self::sample`], and
    /// never from two threads at once.
    pub(crate) fn revision(&self) -> u64 {
        self.conflation.look()
    }

    /// Returns the progress at the end of the task, and its revision. The cell keeps only the counter and the total.
    pub(crate) fn last(&self, now: Instant) -> (Progress, u64) {
        let revision = self.revision();
        let mut rest = self.rest.lock();
        let rated = rest.made.as_ref().is_some_and(|rest| rest.rated);
        // If the rest was never made, the last sample doesn't make it.
        rest.begun = None;
        let progress = Progress { rate: None, eta_ms: None, ..self.sample_with(&mut rest, now) };
        *rest = Slot::default();
        (progress, revision + u64::from(rated))
    }

    /// Begins the first attempt. Time before `now` doesn't count for the rate.
    pub(crate) fn begin(&self, now: Instant) {
        *self.rest.lock() = Slot::begun(now);
    }

    /// Begins another attempt, with nothing reported. Returns whether the watchers have to be told.
    #[must_use]
    pub(crate) fn restart(&self, now: Instant) -> bool {
        let mut rest = self.rest.lock();
        *rest = Slot::begun(now);
        self.conflation.restart()
    }

    pub(crate) fn sample(&self, now: Instant) -> Progress {
        self.sample_with(&mut self.rest.lock(), now)
    }

    fn sample_with(&self, slot: &mut Slot, now: Instant) -> Progress {
        let completed = self.conflation.completed();
        let total = self.conflation.total();
        #[allow(clippy::cast_precision_loss)]
        let fraction = total.map(|total| if total == 0 { 1.0 } else { (completed as f64 / total as f64).min(1.0) });
        if slot.is_idle() {
            return Progress {
                completed,
                total,
                fraction,
                unit: Unit::None,
                rate: None,
                eta_ms: None,
                message: None,
                detail: None,
            };
        }
        let rest = slot.make();
        let Estimate { rate, eta } = rest.estimator.read(now, completed, total);
        rest.rated |= rate.is_some();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let eta_ms = eta.map(|seconds| (seconds * 1_000.0) as u64);
        Progress {
            completed,
            total,
            fraction: rest.fraction.or(fraction),
            unit: rest.unit,
            rate,
            eta_ms,
            message: rest.message.clone(),
            detail: rest.detail.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::progress::conflation::MOST;

    #[test]
    fn the_progress_of_a_waiting_task_is_small() {
        assert!(size_of::<ProgressCell>() <= 56, "{}", size_of::<ProgressCell>());
        let cell = ProgressCell::new();
        cell.sample(Instant::now());
        assert!(cell.rest.lock().is_idle(), "a sample alone makes nothing");
    }

    #[test]
    fn the_progress_of_an_ended_task_is_small() {
        let cell = ProgressCell::new();
        cell.begin(Instant::now());
        let _ = cell.set_message("nearly there");
        let (last, _) = cell.last(Instant::now());
        assert_eq!(last.message.as_deref(), Some("nearly there"));
        assert!(cell.rest.lock().is_idle());
    }

    #[test]
    fn everything_that_is_reported_is_shown() {
        let cell = ProgressCell::new();
        let _ = cell.set(3);
        let _ = cell.inc(4);
        let _ = cell.set_total(Some(14));
        let _ = cell.set_unit(Unit::Files);
        let _ = cell.set_message("counting");
        let _ = cell.set_detail(Detail::new(&[1]).unwrap());
        let shown = Progress {
            completed: 7,
            total: Some(14),
            fraction: Some(0.5),
            unit: Unit::Files,
            rate: None,
            eta_ms: None,
            message: Some("counting".into()),
            detail: Some(Json::new(&[1]).unwrap()),
        };
        assert_eq!(cell.sample(Instant::now()), shown);
    }

    #[test]
    fn a_count_stops_at_the_largest_number() {
        let cell = ProgressCell::new();
        let _ = cell.inc(u64::MAX);
        assert_eq!(cell.sample(Instant::now()).completed, MOST);
        let _ = cell.set(1);
        let _ = cell.set(u64::MAX);
        assert_eq!(cell.sample(Instant::now()).completed, MOST);
        assert!(cell.take_touched() && !cell.take_touched(), "the flags are not part of the count");
    }

    #[test]
    fn a_report_touches_and_a_sample_does_not() {
        let cell = ProgressCell::new();
        assert!(!cell.take_touched());
        let reports: [(&str, &dyn Fn() -> bool); 7] = [
            ("inc", &|| cell.inc(1)),
            ("set", &|| cell.set(1)),
            ("total", &|| cell.set_total(None)),
            ("unit", &|| cell.set_unit(Unit::None)),
            ("message", &|| cell.set_message("same")),
            ("a detail that is left out", &|| cell.touch()),
            ("detail", &|| cell.set_detail(Detail::new(&0).unwrap())),
        ];
        for looked in [false, true] {
            for (name, report) in &reports {
                let _ = report();
                if looked {
                    cell.revision();
                    cell.sample(Instant::now());
                }
                assert!(cell.take_touched(), "{name}");
                assert!(!cell.take_touched(), "{name} counts once");
            }
        }
    }

    #[test]
    fn the_touched_flag_does_not_change_what_watchers_are_told() {
        let cell = ProgressCell::new();
        assert!(cell.inc(1));
        assert!(cell.take_touched());
        assert!(!cell.inc(1), "nobody has looked yet");
        let seen = cell.revision();
        assert!(cell.take_touched(), "a look does not take the touched flag");
        assert_eq!(cell.revision(), seen);
    }

    #[test]
    fn a_new_attempt_begins_with_no_progress() {
        let cell = ProgressCell::new();
        let start = Instant::now();
        cell.begin(start);
        let _ = cell.set_total(Some(1_000));
        let _ = cell.set_unit(Unit::Bytes);
        let _ = cell.set_message("halfway");
        let _ = cell.set_detail(Detail::new(&"detail").unwrap());
        let _ = cell.set(500);
        let now = start + Duration::from_secs(5);
        let seen = cell.revision();
        assert!(cell.sample(now).rate.is_some());

        assert!(cell.restart(now), "the watchers are told");
        assert!(!cell.restart(now), "once");
        assert!(!cell.inc(0), "not with each report");
        let revision = cell.revision();
        assert_ne!(revision, seen);
        assert_eq!(cell.sample(now), ProgressCell::new().sample(now));
        let _ = cell.inc(10);
        let after = cell.sample(now + Duration::from_millis(900));
        assert_eq!((after.completed, after.rate), (10, None), "the rate of the last attempt is forgotten");
        assert_eq!(cell.sample(now + Duration::from_secs(2)).rate.map(f64::round), Some(5.0));
    }

    #[test]
    fn a_new_attempt_does_not_count_as_a_report() {
        let cell = ProgressCell::new();
        let _ = cell.inc(1);
        let _ = cell.restart(Instant::now());
        assert!(!cell.take_touched());
        let _ = cell.inc(1);
        assert!(cell.take_touched());
    }

    #[test]
    fn the_end_is_a_new_revision_if_a_rate_was_shown() {
        let start = Instant::now();
        for (looked_after, news) in [(500, false), (5_000, true)] {
            let cell = ProgressCell::new();
            cell.begin(start);
            let _ = cell.inc(100);
            let seen = cell.revision();
            cell.sample(start + Duration::from_millis(looked_after));
            let (last, revision) = cell.last(start + Duration::from_secs(6));
            assert_eq!((last.rate, last.eta_ms), (None, None));
            assert_eq!(revision != seen, news);
        }
    }

    #[test]
    fn watchers_are_told_once_until_one_looks() {
        let cell = ProgressCell::new();
        assert!(cell.inc(1), "the first change is told");
        assert!(!cell.inc(1), "the next is not, since nobody has looked");
        let seen = cell.revision();
        assert_eq!(cell.sample(Instant::now()).completed, 2);
        assert!(cell.inc(1), "after a look it is told again");
        assert_ne!(cell.revision(), seen);
    }

    #[test]
    fn a_long_message_is_clipped_to_1_kib_of_json() {
        let cell = ProgressCell::new();
        for (message, shown) in [
            ("x".repeat(1_022), "x".repeat(1_022)),
            ("x".repeat(1_023), "x".repeat(1_019) + "…"),
            ("\u{1b}".repeat(999), "\u{1b}".repeat(169) + "…"),
        ] {
            let _ = cell.set_message(&message);
            assert_eq!(cell.sample(Instant::now()).message.as_deref(), Some(&*shown));
        }
    }

    #[test]
    fn a_detail_may_have_4_kib_of_json() {
        assert!(Detail::new(&"x".repeat(4_094)).is_ok());
        let error = Detail::new(&"x".repeat(4_095)).err().unwrap();
        assert!(error.message.contains("4097 bytes") && error.message.contains("4096"), "{error}");
    }

    #[test]
    fn a_report_while_the_flag_is_dirty_is_a_new_revision() {
        let cell = ProgressCell::new();
        let _ = cell.inc(1);
        let first = cell.revision();
        let _ = cell.inc(1);
        assert_eq!(cell.sample(Instant::now()).completed, 2);
        let _ = cell.inc(1);
        assert_ne!(cell.revision(), first);
        let last = cell.revision();
        assert_eq!(cell.revision(), last, "nothing was reported since");
    }

    #[test]
    fn a_watcher_that_looks_only_when_told_misses_no_change() {
        // A writer and a watcher race. The watcher looks only when told, and must end with the last value.
        const LAST: u64 = 200_000;
        let cell = &ProgressCell::new();
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
