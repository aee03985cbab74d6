//! Estimates a rate and the time left from a counter that is sampled [four times a second](SAMPLED_EVERY).
//!
//! The counter is read by the sampler alone, and a look at the estimate teaches nothing. At one moment all looks are
//! equal, even if a sample is taken at that very moment: it counts only afterwards.
//!
//! - The first count that is reported is the starting point. What is there before it was not done in the time that is
//!   seen.
//! - The rate is the advance between two [`Mark`]s, moments at which the counter was seen to advance, about
//!   [`AVERAGED`] apart. So it is exact for work that is reported in lumps of up to two seconds, each as large as the
//!   time it took. A lump may be reported in several parts, so it is measured from the end of a lump to the end of another
//!   one.
//! - A silence of up to [`LUMP`] says nothing, since work may be reported in lumps. After that the rate falls, and after
//!   [`STALLED`] there is none. Work that is reported less often is given as much more time as its lumps have taken.
//! - When stalled work goes on, the report that ends the silence is a new starting point.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// How often the counter is sampled.
pub(crate) const SAMPLED_EVERY: Duration = Duration::from_millis(250);
/// The time over which the rate is averaged, at least.
const AVERAGED: Duration = Duration::from_secs(10);
/// There is no estimate before this time has passed, and no advance counts as done in less.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long work may be silent before its rate falls: a lump of two seconds, and the time until it is seen in full.
const LUMP: Duration = Duration::from_millis(2_750);
/// How long the work may take that is reported in one lump, and the time until its end is seen.
const LONGEST_LUMP: Duration = Duration::from_millis(2_250);
/// How long lumps have to be seen before their ends alone count: both are only known to a quarter of a second.
const LEAST_OF_LUMPS: Duration = Duration::from_millis(2_750);
/// How much of a shorter silence counts. It is next to nothing, but watchers see at once that nothing moves.
const SILENCE: f64 = 0.02;
/// There is no estimate after this time without any advance.
const STALLED: Duration = Duration::from_secs(10);
/// How many times its longest pause has to pass before work that pauses for longer has stalled.
const PAUSES: u32 = 3;
/// Marks in an unbroken advance are thinned out to about this distance.
const SPACING: Duration = Duration::from_secs(1);
/// By what factor the first advance may be faster than the second one. If it is more, it was no work.
const LEAP: f64 = 3.0;
/// The part of the whole that is no work if it is done before the first sample.
const BULK: f64 = 0.5;
/// The part of the whole that may be left when there is "0 s left".
const TENTH: f64 = 0.1;
/// An estimate that is younger is not trusted to say that less than [`SHORTEST`] is left.
const YOUNG: Duration = Duration::from_secs(6);
const SHORTEST: Duration = Duration::from_secs(1);
/// The same for older ones. It still rounds to a second.
const SHORTEST_OF_OLD: Duration = Duration::from_millis(500);

/// The estimate of one counter.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    /// Where the counter was when it advanced, oldest first. The last one is where it is.
    marks: VecDeque<Mark>,
    /// When the oldest mark since the starting point was made.
    since: Option<Instant>,
    sampled_at: Option<Instant>,
    /// Whether the last sample saw an advance.
    advances: bool,
    /// The silence that the starting point has ended.
    silence: Duration,
    /// Whether any silence is a part of the work.
    patient: bool,
    /// Whether it is known that the first advance was work.
    is_judged: bool,
    /// What the first sample found done since the starting point.
    at_once: u64,
    /// What the marks say.
    trend: Option<Trend>,
    /// What they said before the last sample.
    before: Option<Trend>,
}

/// A moment at which the counter advanced.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    count: u64,
    /// Whether it did not advance before that. The rest of a lump may follow.
    begins: bool,
}

#[derive(Debug, Clone, Copy)]
struct Trend {
    since: Instant,
    start: Mark,
    end: Mark,
    /// When the counter advanced last.
    advanced_at: Instant,
    /// How long it may be silent before the rate falls, and before there is none.
    lump: Duration,
    stalled: Duration,
}

impl Estimator {
    /// Makes the counter's place the starting point.
    pub(crate) fn start(&mut self, now: Instant, count: u64) {
        self.learn(now, |estimator| estimator.start_from(now, count, Duration::ZERO));
    }

    /// Makes any silence a part of the work, or only a short one.
    pub(crate) fn set_patient(&mut self, patient: bool) {
        self.patient = patient;
    }

    /// Takes a report that was made `now`, of a counter that is not being sampled. The first one is the starting point.
    pub(crate) fn report(&mut self, now: Instant, count: u64) {
        self.learn(now, |estimator| estimator.note(now, now, count));
    }

    /// Takes a sample.
    pub(crate) fn sample(&mut self, now: Instant, count: u64) {
        // What is seen now has happened since the last sample: on average, in the middle.
        let since = self.sampled_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.learn(now, |estimator| estimator.note(now, now.checked_sub(since / 2).unwrap_or(now), count));
    }

    /// Whether the counter has not advanced for so long that it need not be sampled before it does.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.marks.back().is_none() || self.silence(now) >= STALLED
    }

    /// Returns how long the counter has not advanced.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        self.marks.back().map_or(Duration::MAX, |last| now.saturating_duration_since(last.at))
    }

    /// Returns the rate in units per second; `None` until there is enough to go by.
    pub(crate) fn rate(&self, now: Instant) -> Option<f64> {
        let trend = self.trend_at(now)?;
        let since = |at: Instant| now.saturating_duration_since(at);
        let is_there = since(trend.since) >= WARM_UP && since(trend.advanced_at) < trend.stalled;
        is_there.then(|| trend.rate(now))
    }

    /// Whether most of the `whole` was found done at once while some is `left`, and it is not known yet whether that was
    /// work.
    pub(crate) fn has_leapt(&self, left: f64, whole: f64) -> bool {
        left > 0.0 && !self.is_judged && self.at_once > 0 && float(self.at_once) >= whole * BULK
    }

    /// Returns the time until `left` of `whole` is done, in milliseconds, at the rate of now.
    pub(crate) fn time_left(&self, now: Instant, left: f64, whole: f64) -> Option<u64> {
        if self.has_leapt(left, whole) {
            return None;
        }
        let seconds = left / self.rate(now)?;
        let since = self.trend_at(now)?.since;
        let is_young = now.saturating_duration_since(since) < YOUNG;
        let shortest = match left >= whole * TENTH && left > 0.0 {
            true if is_young => SHORTEST,
            true => SHORTEST_OF_OLD,
            false => Duration::ZERO,
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It stops at the largest number.
        Some((seconds.max(shortest.as_secs_f64()) * 1_000.0).round() as u64)
    }

    /// Returns what was known before the samples of this moment.
    fn trend_at(&self, now: Instant) -> Option<&Trend> {
        if self.sampled_at.is_some_and(|at| now > at) { self.trend.as_ref() } else { self.before.as_ref() }
    }

    fn learn(&mut self, now: Instant, note: impl FnOnce(&mut Self)) {
        if self.sampled_at.is_none_or(|at| now > at) {
            self.before = self.trend;
        }
        note(self);
        self.sampled_at = Some(now);
        self.trend = self.new_trend(now);
    }

    fn start_from(&mut self, now: Instant, count: u64, silence: Duration) {
        self.marks.clear();
        self.marks.push_back(Mark { at: now, count, begins: true });
        // What is seen to advance next may be the rest of the lump that begins here.
        (self.since, self.silence, self.advances) = (Some(now), silence, true);
        (self.is_judged, self.at_once, self.trend) = (false, 0, None);
    }

    /// Notes where the counter is `now`, and that it got there `at` this time.
    fn note(&mut self, now: Instant, at: Instant, count: u64) {
        let Some(last) = self.marks.back().copied() else {
            return self.start_from(now, count, Duration::ZERO);
        };
        let silence = at.saturating_duration_since(last.at);
        if count < last.count {
            // The work has begun again.
            self.start_from(now, count, Duration::ZERO);
        } else if count == last.count {
            self.advances = false;
        } else if silence >= self.stalled() && !self.patient {
            self.start_from(now, count, silence);
        } else {
            if self.marks.len() == 1 && self.sampled_at == self.since {
                self.at_once = count - last.count;
            }
            let begins = !std::mem::replace(&mut self.advances, true);
            self.push(Mark { at, count, begins });
        }
    }

    fn push(&mut self, mark: Mark) {
        if let [.., a, b] = self.marks.make_contiguous()
            && !b.begins
            && !mark.begins
            && mark.at.saturating_duration_since(a.at) < SPACING
        {
            self.marks.pop_back();
        }
        self.marks.push_back(mark);
        self.judge_leap(mark);
    }

    /// Forgets the starting point if the first advance was a leap that is no work: what was there, found late.
    fn judge_leap(&mut self, newest: Mark) {
        let (Some(first), Some(second)) = (self.marks.front(), self.marks.get(1)) else { return };
        let is_start = self.since == Some(first.at) && !self.is_judged;
        if is_start && newest.at.saturating_duration_since(second.at) >= SPACING {
            self.is_judged = true;
            if slope(*first, *second) > slope(*second, newest) * LEAP {
                self.marks.pop_front();
            }
        }
    }

    fn new_trend(&mut self, now: Instant) -> Option<Trend> {
        while self.marks.len() > 2 && now.saturating_duration_since(self.marks[1].at) >= AVERAGED {
            self.marks.pop_front();
        }
        let (start, end) = self.ends(now)?;
        let advanced_at = self.marks.back()?.at;
        let stalled = STALLED.max(self.longest_pause().saturating_mul(PAUSES));
        if end.count == start.count {
            // Until the lump is complete, what was known before holds.
            return self.trend.map(|trend| Trend { advanced_at, stalled, ..trend });
        }
        let lump = LUMP.max(self.longest_pause() * 5 / 4 + SAMPLED_EVERY * 2);
        let trend = Trend { since: self.since?, start, end, advanced_at, lump, stalled };
        // While nothing moves, the rate does not rise because slower work is averaged no more.
        let slower = self.trend.filter(|known| known.end.at == end.at && known.rate(now) < trend.rate(now));
        Some(slower.map_or(trend, |known| Trend { advanced_at, stalled, ..known }))
    }

    /// Returns the marks between which the advance is measured: the first and the last one that end a lump, or the first and
    /// the last of all if more than next to nothing would be left out.
    fn ends(&self, now: Instant) -> Option<(Mark, Mark)> {
        let (first, newest) = (*self.marks.front()?, *self.marks.back()?);
        let is_near = |from, to| distance(from, to) <= LONGEST_LUMP;
        let is_long = |from, to| distance(from, to) >= LEAST_OF_LUMPS;
        let of_lumps = self.ends_of_lumps(newest, now);
        let fits =
            of_lumps.filter(|&(start, end)| is_near(first, start) && is_near(end, newest) && is_long(start, end));
        Some(fits.unwrap_or((first, newest)))
    }

    fn ends_of_lumps(&self, newest: Mark, now: Instant) -> Option<(Mark, Mark)> {
        let pause = |(before, after): (Mark, Mark)| if after.begins { distance(before, after) } else { Duration::ZERO };
        // A lump may be reported with pauses of its own: the longer ones are between lumps.
        let least = self.pairs().map(pause).max()?.min(LONGEST_LUMP) * 2 / 3;
        let is_over = !self.advances && now.saturating_duration_since(newest.at) >= least;
        let mut ends =
            self.pairs().filter(|marks| !least.is_zero() && pause(*marks) >= least).map(|(before, _)| before);
        let start = ends.next()?;
        Some((start, if is_over { newest } else { ends.next_back()? }))
    }

    /// Returns each mark with the next one.
    fn pairs(&self) -> impl DoubleEndedIterator<Item = (Mark, Mark)> {
        self.marks.iter().copied().zip(self.marks.iter().skip(1).copied())
    }

    /// Returns after how long a silence the work has stalled.
    fn stalled(&self) -> Duration {
        let (first, last) = (self.marks.front(), self.marks.back());
        let seen = first.zip(last).map_or(Duration::ZERO, |(first, last)| last.at.saturating_duration_since(first.at));
        // Until it has been seen for longer, it may be as slow as it was before.
        let before = if seen > self.silence { Duration::ZERO } else { self.silence };
        STALLED.max(self.longest_pause().max(before).saturating_mul(PAUSES))
    }

    fn longest_pause(&self) -> Duration {
        self.pairs().map(|(before, after)| distance(before, after)).max().unwrap_or_default()
    }
}

impl Trend {
    fn rate(&self, now: Instant) -> f64 {
        let span = self.end.at.saturating_duration_since(self.start.at).as_secs_f64();
        let silent = now.saturating_duration_since(self.advanced_at);
        let short = silent.min(self.lump);
        let counted = short.as_secs_f64() * SILENCE + silent.saturating_sub(short).as_secs_f64();
        float(self.end.count - self.start.count) / (span + counted).max(WARM_UP.as_secs_f64())
    }
}

fn distance(from: Mark, to: Mark) -> Duration {
    to.at.saturating_duration_since(from.at)
}

/// Returns the rate between two marks; infinite for two of one moment.
fn slope(from: Mark, to: Mark) -> f64 {
    float(to.count - from.count) / to.at.saturating_duration_since(from.at).as_secs_f64()
}

#[allow(clippy::cast_precision_loss)] // Counts above 2^53 lose precision that no progress bar can show.
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
