//! The progress of one attempt of a task.
//!
//! The hot path, [`ProgressCell::inc`], is one atomic addition. Watchers look at the progress when they show it.
//! [`conflation`](super::conflation) says why they never miss a change. The first report of a count tells the sampler,
//! which then reads the count [at intervals](super::rate::SAMPLED_EVERY); what a look shows of the rate follows from
//! that alone.
//!
//! Everything else is in a [`Rest`], under a lock. The `Rest` is made when it is first needed and dropped at the end.
//!
//! Each attempt has a cell of its own, which nobody reads once the attempt is over. So a leftover of the attempt need not
//! ask whether it may still report, which would be too late if the attempt ended between the answer and the report.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

#[cfg(any(test, feature = "test"))]
use super::recording::Recording;
use super::{
    Progress, Unit,
    conflation::{Conflation, Due},
    rate::Estimator,
    recording::Reported,
    sum::{Members, Sum},
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
    #[cfg(any(test, feature = "test"))]
    recording: std::sync::OnceLock<Arc<Recording>>,
}

/// There is one for each task that runs.
#[cfg(not(any(test, feature = "test")))]
const _: () = assert!(size_of::<ProgressCell>() <= 56);

/// The [`Rest`], which is made when something that it holds is first reported.
#[derive(Debug, Default)]
struct Slot {
    /// Whether the attempt is over.
    is_over: bool,
    /// Whether the sampler has the attempt.
    is_sampled: bool,
    made: Option<Box<Rest>>,
}

impl Slot {
    fn make(&mut self) -> &mut Rest {
        self.made.get_or_insert_default()
    }
}

/// The progress that is not in the [`Conflation`].
#[derive(Debug, Default)]
struct Rest {
    unit: Unit,
    message: Option<Arc<str>>,
    detail: Option<Json>,
    /// The count that the attempt began with: what its first report has set, or 0 if that was an addition.
    start: Option<u64>,
    estimator: Estimator,
    batch: Option<Box<BatchRest>>,
    /// Whether the last sample found a rate.
    had_rate: bool,
    /// When the watchers were last told that the rate has changed without a report.
    renewed_at: Option<Instant>,
    /// Whether a look found a rate. If so, the progress at the end is a new revision, because it never has a rate.
    rated: bool,
}

/// The progress of a batch.
#[derive(Debug)]
struct BatchRest {
    sum: Sum,
    /// Estimates the rate in members, for the time left while the rate in units says nothing of it.
    members: Estimator,
}

/// What the sampler does with an attempt after a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sampled {
    /// Samples it again. The watchers have to be told if that is due.
    GoOn(Option<Due>),
    /// Lets it go. It is told of the next report.
    LetGo,
}

/// The progress at the end of an attempt.
#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) progress: Progress,
    pub(crate) revision: u64,
    /// The count that the attempt began with; `None` if it has reported none.
    pub(crate) start: Option<u64>,
}

/// Members in the fine units in which they are counted for the estimate.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn fine(members: f64) -> u64 {
    (members * FINE) as u64
}

const FINE: f64 = 4_294_967_296.0;

/// How often the watchers are told of a rate that falls while nothing is reported.
const RENEWED_EVERY: Duration = Duration::from_secs(1);

impl Rest {
    /// Has the estimators look at the counters. `take` is how.
    fn learn(&mut self, completed: u64, mut take: impl FnMut(&mut Estimator, u64)) {
        match &mut self.batch {
            None => take(&mut self.estimator, completed),
            Some(batch) => {
                if batch.sum.work.is_counted {
                    take(&mut self.estimator, batch.sum.work.units);
                }
                take(&mut batch.members, fine(batch.sum.work.members));
            }
        }
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.estimator.is_silent(now) && self.batch.as_ref().is_none_or(|batch| batch.members.is_silent(now))
    }

    /// Returns how long nothing has advanced.
    fn silence(&self, now: Instant) -> Duration {
        let of_units = self.estimator.silence(now);
        self.batch.as_ref().map_or(of_units, |batch| of_units.min(batch.members.silence(now)))
    }

    /// Notes whether there is a rate `now`. Returns whether the watchers have to be told although nothing need have been
    /// reported: the rate appears or ends, or it falls.
    fn renews(&mut self, now: Instant, has_rate: bool) -> bool {
        let changes = std::mem::replace(&mut self.had_rate, has_rate) != has_rate;
        let told_at = self.renewed_at.filter(|at| now.saturating_duration_since(*at) < RENEWED_EVERY);
        let falls = has_rate && self.silence(now) >= RENEWED_EVERY && told_at.is_none();
        if changes || falls {
            self.renewed_at = Some(now);
        }
        changes || falls
    }

    /// Returns the rate, and the time left in milliseconds.
    fn estimate(&self, now: Instant, completed: u64, total: Option<u64>) -> (Option<f64>, Option<u64>) {
        #[allow(clippy::cast_precision_loss)]
        let left = total.and_then(|total| Some((total.checked_sub(completed)? as f64, total as f64)));
        let has_leapt = left.is_some_and(|(left, whole)| self.estimator.has_leapt(left, whole));
        let rate = self.estimator.rate(now).filter(|_| !has_leapt);
        let by_unit = left.filter(|(_, whole)| *whole > 0.0);
        let by_unit = by_unit.and_then(|(left, whole)| self.estimator.time_left(now, left, whole));
        let Some(batch) = &self.batch else { return (rate, by_unit) };
        let by_member = || {
            let Members { left, whole } = batch.sum.members?;
            let left_ms = batch.members.time_left(now, left * FINE, whole * FINE)?;
            if batch.sum.has_fractions {
                return Some(left_ms);
            }
            // The members go on between two ends, although that can't be seen.
            let silence = u64::try_from(batch.members.silence(now).as_millis()).unwrap_or(u64::MAX);
            Some(left_ms.saturating_sub(silence).max(left_ms.min(1_000)))
        };
        (rate.filter(|_| !batch.sum.is_mixed), if total.is_some() { by_unit } else { by_member() })
    }

    fn has_rate(&self, now: Instant) -> bool {
        let of_members = self.batch.as_ref().and_then(|batch| batch.members.rate(now));
        self.estimator.rate(now).or(of_members).is_some()
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

    #[cfg(any(test, feature = "test"))]
    pub(crate) fn json(&self) -> &Json {
        &self.0
    }

    /// Returns the same detail, whose JSON nothing else shares.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn unshared(self) -> Self {
        Self(self.0.unshared())
    }
}

impl ProgressCell {
    /// `revision` is the first revision of the progress.
    pub(crate) fn new(revision: u64) -> Self {
        Self {
            conflation: Conflation::new(revision),
            rest: Lock::new(Slot::default()),
            #[cfg(any(test, feature = "test"))]
            recording: std::sync::OnceLock::new(),
        }
    }

    /// Records every report from now on.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn record(&self, recording: &Arc<Recording>) {
        let _ = self.recording.set(Arc::clone(recording));
    }

    /// Like all writers, returns who has to be told.
    #[inline]
    pub(crate) fn inc(&self, by: u64) -> Due {
        self.number(|counts| counts.inc(by))
    }

    pub(crate) fn set(&self, completed: u64) -> Due {
        self.number(|counts| counts.set(completed))
    }

    pub(crate) fn set_total(&self, total: Option<u64>) -> Due {
        self.number(|counts| counts.set_total(total))
    }

    /// Reports a number. Only a recording needs a lock.
    #[inline]
    fn number(&self, report: impl FnOnce(&Conflation) -> Due) -> Due {
        #[cfg(any(test, feature = "test"))]
        if self.recording.get().is_some() {
            let slot = self.rest.lock();
            let due = report(&self.conflation);
            if !slot.is_over {
                self.record_report(&slot, Reported::Number);
            }
            return due;
        }
        report(&self.conflation)
    }

    #[cfg(not(any(test, feature = "test")))]
    fn record_report(&self, _: &Slot, _: Reported) {}

    /// Call it under the lock, so that the reports are recorded in their order.
    #[cfg(any(test, feature = "test"))]
    fn record_report(&self, slot: &Slot, what: Reported) {
        let Some(recording) = self.recording.get() else { return };
        let (completed, total) = (self.conflation.completed(), self.conflation.total());
        let counts = Progress { completed, total, fraction: fraction_of(completed, total), ..Progress::NONE };
        recording.add(
            what,
            match &slot.made {
                None => counts,
                Some(rest) => {
                    Progress { unit: rest.unit, message: rest.message.clone(), detail: rest.detail.clone(), ..counts }
                }
            },
        );
    }

    pub(crate) fn set_unit(&self, unit: Unit) -> Due {
        self.change(Reported::Number, |rest| rest.unit = unit).unwrap_or(Due::NOBODY)
    }

    /// A message over its limit is clipped.
    pub(crate) fn set_message(&self, message: &str) -> Due {
        let message = Some(clip(message, MESSAGE_LIMIT).into());
        self.change(Reported::Message, |rest| rest.message = message).unwrap_or(Due::NOBODY)
    }

    /// Returns `None` if the attempt is over.
    pub(crate) fn set_detail(&self, detail: Detail) -> Option<Due> {
        self.change(Reported::Detail, |rest| rest.detail = Some(detail.0))
    }

    /// Notes a report that changes nothing: it only shows that the handler does not stall. Returns `None` if the attempt
    /// is over.
    pub(crate) fn touch(&self) -> Option<Due> {
        let slot = self.rest.lock();
        (!slot.is_over).then(|| self.conflation.report())
    }

    /// Sets the progress of a batch. No look sees only a part of it, since looks are made under the same lock.
    pub(crate) fn set_sum(&self, sum: Sum, now: Instant) -> Due {
        let mut slot = self.rest.lock();
        if slot.is_over {
            return Due::NOBODY;
        }
        let rest = slot.make();
        rest.unit = sum.unit;
        let was_counted = rest.batch.as_ref().is_some_and(|batch| batch.sum.work.is_counted);
        let members = rest.batch.take().map(|batch| batch.members).unwrap_or_default();
        let batch = rest.batch.insert(Box::new(BatchRest { sum, members }));
        // As long as no member has a fraction, the end of one is all that can be seen, however long that takes.
        batch.members.set_patient(!sum.has_fractions);
        if sum.work.is_counted && !was_counted {
            // The first report is the starting point.
            rest.estimator.start(now, sum.work.units);
            batch.members.start(now, fine(sum.work.members));
        }
        let (set, total) = (self.conflation.set(sum.completed), self.conflation.set_total(sum.total));
        Due { watchers: set.watchers || total.watchers, sampler: set.sampler }
    }

    /// Whether the attempt is over.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.lock().is_over
    }

    /// Returns `None`, and changes nothing, if the attempt is over.
    fn change(&self, what: Reported, change: impl FnOnce(&mut Rest)) -> Option<Due> {
        let mut slot = self.rest.lock();
        (!slot.is_over).then(|| {
            change(slot.make());
            self.record_report(&slot, what);
            self.conflation.report()
        })
    }

    /// Returns a number that grows from one call to the next if anything was reported in between, by whomever it is called.
    pub(crate) fn reports(&self) -> u64 {
        let _one_at_a_time = self.rest.lock();
        self.conflation.reports()
    }

    /// Lets the next change wake the watchers again. Returns the newest revision. Call it before [`Self::look`], and
    /// never from two threads at once.
    pub(crate) fn revision(&self) -> u64 {
        self.conflation.look()
    }

    /// Ends the attempt, and returns its progress. There is no rate until another attempt reports.
    pub(crate) fn end(&self, now: Instant) -> Last {
        let mut slot = self.rest.lock();
        let (rated, start) = slot.made.as_ref().map_or((false, None), |rest| (rest.rated, rest.start));
        let progress = Progress { rate: None, eta_ms: None, ..self.look_at(&mut slot, now) };
        *slot = Slot { is_over: true, ..Slot::default() };
        // After the values are read: what is in them has made its news by then.
        Last { progress, revision: self.revision() + u64::from(rated), start }
    }

    // For the sampler.

    /// Notes a report of which the sampler has to be told. The first one says what the attempt began with. Returns whether
    /// the sampler has to take the attempt.
    #[must_use]
    pub(crate) fn enlist(&self, now: Instant, start: u64) -> bool {
        let mut slot = self.rest.lock();
        if slot.is_over {
            return false;
        }
        let rest = slot.make();
        rest.start.get_or_insert(start);
        rest.learn(self.conflation.completed(), |estimator, count| estimator.report(now, count));
        !std::mem::replace(&mut slot.is_sampled, true)
    }

    /// Takes a sample.
    pub(crate) fn sample(&self, now: Instant) -> Sampled {
        let mut slot = self.rest.lock();
        let slot = &mut *slot;
        let Some(rest) = slot.made.as_mut().filter(|rest| rest.start.is_some()) else {
            slot.is_sampled = false;
            return Sampled::LetGo;
        };
        let completed = self.conflation.completed();
        // Before the sample, which doesn't count at its own moment.
        let has_rate = rest.has_rate(now);
        rest.learn(completed, |estimator, count| estimator.sample(now, count));
        let renews = rest.renews(now, has_rate);
        if rest.is_silent(now) && !has_rate && !renews {
            if self.conflation.let_go() == completed {
                slot.is_sampled = false;
                return Sampled::LetGo;
            }
            // It has advanced meanwhile.
            self.conflation.hold();
        }
        Sampled::GoOn(renews.then(|| self.conflation.renew()))
    }

    // For those who look.

    /// Returns the count that the attempt began with; `None` if it has reported none.
    pub(crate) fn start(&self) -> Option<u64> {
        self.rest.lock().made.as_ref()?.start
    }

    pub(crate) fn look(&self, now: Instant) -> Progress {
        self.look_at(&mut self.rest.lock(), now)
    }

    fn look_at(&self, slot: &mut Slot, now: Instant) -> Progress {
        let completed = self.conflation.completed();
        let total = self.conflation.total();
        let Some(rest) = &mut slot.made else {
            return Progress { completed, total, fraction: fraction_of(completed, total), ..Progress::NONE };
        };
        let (rate, eta_ms) = rest.estimate(now, completed, total);
        rest.rated |= rate.is_some() || eta_ms.is_some();
        Progress {
            completed,
            total,
            fraction: rest.batch.as_ref().map_or_else(|| fraction_of(completed, total), |batch| batch.sum.fraction),
            unit: rest.unit,
            rate,
            eta_ms,
            message: rest.message.clone(),
            detail: rest.detail.clone(),
        }
    }
}

/// Returns how much of the total is done; `None` if the total is not known, or can't be right.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn fraction_of(completed: u64, total: Option<u64>) -> Option<f64> {
    total.filter(|total| *total > 0 && completed <= *total).map(|total| completed as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::progress::conflation::MOST;

    #[test]
    fn the_progress_of_an_attempt_that_reports_nothing_is_small() {
        let of_tests = size_of::<std::sync::OnceLock<Arc<Recording>>>();
        assert!(size_of::<ProgressCell>() <= 56 + of_tests, "{}", size_of::<ProgressCell>());
        let cell = ProgressCell::new(0);
        cell.look(Instant::now());
        assert!(cell.rest.lock().made.is_none(), "a look alone makes nothing");
    }

    #[test]
    fn the_progress_of_an_attempt_that_is_over_is_small() {
        let cell = ProgressCell::new(0);
        let _ = cell.set_message("nearly there");
        let last = cell.end(Instant::now());
        assert_eq!(last.progress.message.as_deref(), Some("nearly there"));
        assert!(cell.rest.lock().made.is_none());
    }

    #[test]
    fn everything_that_is_reported_is_shown() {
        let cell = ProgressCell::new(0);
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
        assert_eq!(cell.look(Instant::now()), shown);
    }

    #[test]
    fn a_count_stops_at_the_largest_number() {
        let cell = ProgressCell::new(0);
        let _ = cell.inc(u64::MAX);
        assert_eq!(cell.look(Instant::now()).completed, MOST);
        let _ = cell.set(1);
        let _ = cell.set(u64::MAX);
        assert_eq!(cell.look(Instant::now()).completed, MOST);
        assert_eq!([cell.reports(), cell.reports()], [1, 1], "the flags are not part of the count");
    }

    #[test]
    fn a_report_touches_and_a_look_does_not() {
        let cell = ProgressCell::new(0);
        let mut count = cell.reports();
        let reports: [(&str, &dyn Fn() -> Due); 7] = [
            ("inc", &|| cell.inc(1)),
            ("set", &|| cell.set(1)),
            ("total", &|| cell.set_total(None)),
            ("unit", &|| cell.set_unit(Unit::None)),
            ("message", &|| cell.set_message("same")),
            ("a detail that is left out", &|| cell.touch().unwrap()),
            ("detail", &|| cell.set_detail(Detail::new(&0).unwrap()).unwrap()),
        ];
        for looked in [false, true] {
            for (name, report) in &reports {
                let _ = report();
                if looked {
                    cell.revision();
                    cell.look(Instant::now());
                }
                count += 1;
                assert_eq!(cell.reports(), count, "{name}");
                assert_eq!(cell.reports(), count, "{name} counts once");
            }
        }
    }

    #[test]
    fn the_touched_flag_does_not_change_what_watchers_are_told() {
        let cell = ProgressCell::new(0);
        assert!(cell.inc(1).watchers);
        assert_eq!(cell.reports(), 1);
        assert!(!cell.inc(1).watchers, "nobody has looked yet");
        let seen = cell.revision();
        assert_eq!(cell.reports(), 2, "a look does not take the touched flag");
        assert_eq!(cell.revision(), seen);
    }

    /// Reports a count at `now`, as `Record` does.
    fn report(cell: &ProgressCell, due: Due, now: Instant, start: u64) -> bool {
        due.sampler && cell.enlist(now, start)
    }

    /// Samples from `from` to `to`, which are seconds after `start`, while 100 units are done a second.
    fn work(cell: &ProgressCell, start: Instant, from: u64, to: u64) {
        for quarter in from * 4 + 1..=to * 4 {
            let _ = cell.inc(25);
            assert_ne!(cell.sample(start + quarter_seconds(quarter)), Sampled::LetGo);
        }
    }

    fn quarter_seconds(quarters: u64) -> Duration {
        Duration::from_millis(250 * quarters)
    }

    #[test]
    fn a_new_attempt_begins_with_no_progress() {
        let first = ProgressCell::new(0);
        let start = Instant::now();
        let _ = first.set_total(Some(1_000));
        let _ = first.set_unit(Unit::Bytes);
        let _ = first.set_message("halfway");
        let _ = first.set_detail(Detail::new(&"detail").unwrap());
        assert!(report(&first, first.inc(25), start, 0));
        work(&first, start, 0, 5);
        let now = start + Duration::from_secs(5);
        assert!(first.look(now + quarter_seconds(1)).rate.is_some());

        let cell = ProgressCell::new(first.end(now).revision + 1);
        assert_eq!(cell.look(now), Progress::NONE);
        assert!(report(&cell, cell.set(900), now, 900), "it is sampled anew");
        work(&cell, now, 0, 2);
        let after = cell.look(now + Duration::from_secs(2) + quarter_seconds(1));
        assert!((after.rate.unwrap() - 100.0).abs() < 15.0, "{after:?}: 900 was the starting point");
    }

    #[test]
    fn an_attempt_that_is_over_keeps_nothing_of_what_its_leftovers_report() {
        let (cell, now) = (ProgressCell::new(0), Instant::now());
        assert!(report(&cell, cell.inc(1), now, 0));
        let _ = cell.set_message("its own");
        let last = cell.end(now);
        assert_eq!((last.progress.completed, last.progress.message.as_deref()), (1, Some("its own")));
        let nobody = [cell.set_unit(Unit::Bytes), cell.set_message("left over")];
        assert_eq!(nobody, [Due::NOBODY; 2]);
        assert!(cell.touch().is_none() && cell.set_detail(Detail::new(&0).unwrap()).is_none());
        assert!(!cell.enlist(now, 0) && cell.rest.lock().made.is_none());
    }

    #[test]
    fn a_task_is_sampled_from_a_report_of_a_count_until_it_is_silent() {
        let (cell, start) = (ProgressCell::new(0), Instant::now());
        assert!(!cell.set_total(Some(9)).sampler && !cell.set_message("no count").sampler);
        for begin in [0, 100] {
            assert!(report(&cell, cell.inc(25), start + quarter_seconds(begin * 4), 0));
            assert!(!cell.inc(0).sampler, "not with each report");
            work(&cell, start, begin, begin + 3);
            let silent = |seconds| start + Duration::from_secs(begin + 3 + seconds);
            assert_ne!(cell.sample(silent(9)), Sampled::LetGo);
            assert!(
                matches!(cell.sample(silent(11)), Sampled::GoOn(Some(_))),
                "the watchers are told that the rate ends"
            );
            assert_eq!(cell.sample(silent(12)), Sampled::LetGo);
        }
    }

    #[test]
    fn an_attempt_that_is_over_is_not_sampled() {
        let (cell, start) = (ProgressCell::new(0), Instant::now());
        assert!(report(&cell, cell.inc(1), start, 0));
        work(&cell, start, 0, 3);
        let now = start + quarter_seconds(13);
        assert!(cell.look(now).rate.is_some());
        assert_eq!(cell.end(now).progress.rate, None, "nothing is done until the next attempt");
        assert_eq!(cell.sample(now), Sampled::LetGo);
        assert!(!cell.enlist(now, 0), "a leftover of the handler");
    }

    #[test]
    fn the_watchers_are_told_when_there_is_a_rate_even_if_nothing_is_reported_then() {
        let (cell, start) = (ProgressCell::new(0), Instant::now());
        assert!(report(&cell, cell.inc(1), start, 0));
        let _ = cell.inc(1);
        let told: Vec<_> = (1..=16)
            .filter(|quarter| {
                let seen = cell.revision();
                let now = start + quarter_seconds(*quarter);
                let had_none = cell.look(now).rate.is_none();
                assert_eq!(had_none, *quarter < 4);
                match cell.sample(now) {
                    Sampled::GoOn(Some(due)) => due.watchers && cell.revision() != seen,
                    _ => false,
                }
            })
            .collect();
        assert_eq!(told, [4, 8, 12, 16], "and then, once a second, that it falls");
    }

    #[test]
    fn a_fraction_is_unknown_if_the_total_can_not_be_right() {
        for (completed, total, fraction) in [
            (0, None, None),
            (5, None, None),
            (0, Some(0), None),
            (5, Some(0), None),
            (11, Some(10), None),
            (10, Some(10), Some(1.0)),
            (0, Some(10), Some(0.0)),
        ] {
            let (cell, start) = (ProgressCell::new(0), Instant::now());
            let _ = cell.set_total(total);
            assert!(report(&cell, cell.inc(0), start, 0));
            let _ = cell.set(completed);
            let _ = cell.sample(start + quarter_seconds(1));
            let _ = cell.sample(start + quarter_seconds(2));
            let shown = cell.look(start + quarter_seconds(5));
            assert_eq!((shown.completed, shown.total, shown.fraction), (completed, total, fraction));
            assert_eq!(shown.eta_ms.is_some(), fraction == Some(1.0), "{shown:?}");
        }
    }

    #[test]
    fn the_end_is_a_new_revision_if_a_rate_was_shown() {
        let start = Instant::now();
        for (looked_after, news) in [(500, false), (5_000, true)] {
            let cell = ProgressCell::new(0);
            assert!(report(&cell, cell.inc(100), start, 0));
            work(&cell, start, 0, 1);
            let seen = cell.revision();
            cell.look(start + Duration::from_millis(looked_after));
            let last = cell.end(start + Duration::from_secs(6));
            assert_eq!((last.progress.rate, last.progress.eta_ms), (None, None));
            assert_eq!(last.revision != seen, news);
        }
    }

    #[test]
    fn watchers_are_told_once_until_one_looks() {
        let cell = ProgressCell::new(0);
        assert!(cell.inc(1).watchers, "the first change is told");
        assert!(!cell.inc(1).watchers, "the next is not, since nobody has looked");
        let seen = cell.revision();
        assert_eq!(cell.look(Instant::now()).completed, 2);
        assert!(cell.inc(1).watchers, "after a look it is told again");
        assert_ne!(cell.revision(), seen);
    }

    #[test]
    fn a_long_message_is_clipped_to_1_kib_of_json() {
        let cell = ProgressCell::new(0);
        for (message, shown) in [
            ("x".repeat(1_022), "x".repeat(1_022)),
            ("x".repeat(1_023), "x".repeat(1_019) + "…"),
            ("\u{1b}".repeat(999), "\u{1b}".repeat(169) + "…"),
        ] {
            let _ = cell.set_message(&message);
            assert_eq!(cell.look(Instant::now()).message.as_deref(), Some(&*shown));
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
        let cell = ProgressCell::new(0);
        let _ = cell.inc(1);
        let first = cell.revision();
        let _ = cell.inc(1);
        assert_eq!(cell.look(Instant::now()).completed, 2);
        let _ = cell.inc(1);
        assert_ne!(cell.revision(), first);
        let last = cell.revision();
        assert_eq!(cell.revision(), last, "nothing was reported since");
    }

    #[test]
    fn a_watcher_that_looks_only_when_told_misses_no_change() {
        // A writer and a watcher race. The watcher looks only when told, and must end with the last value.
        const LAST: u64 = 200_000;
        let cell = &ProgressCell::new(0);
        let (tell, told) = std::sync::mpsc::channel();
        let seen = std::thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..LAST {
                    if cell.inc(1).watchers {
                        tell.send(()).unwrap();
                    }
                }
            });
            let reader = scope.spawn(move || {
                let mut seen = 0;
                while told.recv().is_ok() {
                    cell.revision();
                    seen = cell.look(Instant::now()).completed;
                }
                seen
            });
            reader.join().unwrap()
        });
        assert_eq!(seen, LAST);
    }
}
