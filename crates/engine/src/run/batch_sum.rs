//! Adds up the progress of a batch's members.

use crate::{
    policy::batch_progress::BatchProgress,
    progress::{
        Unit,
        cell::fraction_of,
        sum::{Members, Sum, Work},
    },
    record::snapshot::Share,
    task::outcome::Outcome,
};

/// The members of a batch, as they were last seen.
#[derive(Debug)]
pub(crate) struct BatchSum {
    by: BatchProgress,
    members: Vec<Member>,
    work: Work,
    /// How many of the running members have a fraction, how many count without one, and how many of those have done too
    /// much.
    known: usize,
    unknown: usize,
    lost: usize,
    /// Whether a member has had a fraction.
    has_fractions: bool,
    /// Whether a member has completed without counting to its total, so that units say nothing of what is left.
    is_uncounted: bool,
    /// The mean fraction of the former, when the sum was last made.
    mean: Option<f64>,
}

/// What is known of one member.
#[derive(Debug, Clone, Copy)]
struct Member {
    unit: Unit,
    completed: u64,
    total: Option<u64>,
    /// How much of the member is done, and how much there is to do: 1, or what it did if it has ended without completing.
    done: f64,
    whole: f64,
    says: Says,
    /// How much of it was there before it began to work.
    found: Option<f64>,
    has_ended: bool,
    attempt: Attempt,
}

/// What the numbers of a member say of how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// It doesn't count, or does not run.
    Nothing,
    Fraction,
    /// It counts, but has not said how much there is to do.
    NoTotal,
    /// It has done more than there is to do, so that nothing says how much is left.
    TooMuch,
}

impl Says {
    /// Whether it counts without a fraction.
    fn is_unknown(self) -> bool {
        matches!(self, Self::NoTotal | Self::TooMuch)
    }
}

/// What the current attempt of a member has done.
#[derive(Debug, Clone, Copy, Default)]
struct Attempt {
    number: u32,
    /// The count that was last seen; at first the one that the attempt began with.
    seen: Option<u64>,
    /// How much of the member it has worked on since.
    worked: f64,
    /// What it first advanced by if it began with a count of 0, in units, until the next advance says whether it was work.
    first: Option<u64>,
    has_advanced: bool,
    /// What was there and was found by an addition, in units.
    leap: u64,
}

/// How many times the second advance of a member the first one may be. If it is more, it was no work.
const LEAP: u64 = 3;

impl Attempt {
    /// Returns how many of the units were work that it has advanced by now, and at first: that may be what was there,
    /// found late.
    fn judge(&mut self, units: u64, from_zero: bool, has_ended: bool) -> u64 {
        if units > 0 && !std::mem::replace(&mut self.has_advanced, true) && from_zero && !has_ended {
            self.first = Some(units);
            return 0;
        }
        match self.first.take_if(|_| has_ended || units > 0) {
            Some(first) if !has_ended && first / LEAP > units => {
                self.leap = first;
                units
            }
            first => units + first.unwrap_or(0),
        }
    }
}

impl Member {
    const WAITING: Self = Self {
        unit: Unit::None,
        completed: 0,
        total: None,
        done: 0.0,
        whole: 1.0,
        says: Says::Nothing,
        found: None,
        has_ended: false,
        attempt: Attempt { number: 0, seen: None, worked: 0.0, first: None, has_advanced: false, leap: 0 },
    };

    /// Notes what is seen of it now. Returns what it has worked on since it was last seen: units, and how much of a
    /// member. `mean` is how much the other members have done on average.
    fn update(&mut self, share: &Share, mean: Option<f64>) -> (u64, f64) {
        let progress = &share.progress;
        if share.attempt != self.attempt.number {
            self.attempt = Attempt { number: share.attempt, ..Attempt::default() };
            self.done = 0.0;
        }
        let fraction = fraction_of(progress.completed, progress.total);
        let (units, mut part) = self.advance(share);
        // A member that begins again is expected to have the same total.
        let expected = self.total.filter(|_| share.start.is_none());
        (self.unit, self.completed, self.total) = (progress.unit, progress.completed, progress.total.or(expected));
        if self.total.is_some_and(|total| total < self.completed) {
            self.total = None;
        }
        let has_done_too_much = fraction.is_none() && progress.total.is_some() && progress.completed > 0;
        let has_no_total = share.start.is_some() && self.total.is_none();
        let says = match fraction {
            Some(_) => Says::Fraction,
            None if has_done_too_much => Says::TooMuch,
            None if has_no_total => Says::NoTotal,
            None => Says::Nothing,
        };
        let was_unknown = std::mem::replace(&mut self.says, says).is_unknown();
        let found = share.start.and_then(|start| fraction_of(start + self.attempt.leap, progress.total));
        if share.attempt <= 1 {
            self.found = found.or(self.found);
        }
        self.done = fraction.unwrap_or(self.done);
        let Some(outcome) = share.outcome.as_ref().filter(|_| !self.has_ended) else { return (units, part) };
        (self.has_ended, self.says) = (true, Says::Nothing);
        if matches!(outcome, Outcome::Completed { .. }) {
            // What was not counted is done, too. If nothing was, all of it was done without a report before the end.
            let found = found.filter(|_| self.attempt.worked > 0.0).unwrap_or(0.0);
            part += match mean.filter(|_| was_unknown) {
                Some(mean) => 1.0 - mean,
                None => (1.0 - found - self.attempt.worked).max(0.0),
            };
            self.done = 1.0;
        }
        if self.completed == 0 {
            self.unit = Unit::None;
        }
        // It adds what it did to both sums: there is nothing more to do.
        (self.total, self.whole) = (Some(self.completed), self.done);
        (units, part)
    }

    /// Notes the count of the current attempt. Returns the units that it has advanced by, and how much of the member
    /// they are.
    #[allow(clippy::cast_precision_loss)]
    fn advance(&mut self, share: &Share) -> (u64, f64) {
        let attempt = &mut self.attempt;
        let (completed, total) = (share.progress.completed, share.progress.total.filter(|total| *total > 0));
        let Some(before) = attempt.seen.or(share.start) else { return (0, 0.0) };
        attempt.seen = Some(completed);
        let units = attempt.judge(completed.saturating_sub(before), before == 0, share.outcome.is_some());
        let total = total.filter(|total| completed <= *total);
        let part = total.map_or(0.0, |total| units as f64 / total as f64);
        attempt.worked += part;
        (units, part)
    }
}

impl BatchSum {
    /// Returns the sum of this many members, none of which has begun.
    pub(crate) fn new(by: BatchProgress, members: usize) -> Self {
        let members = vec![Member::WAITING; members];
        Self {
            by,
            members,
            work: Work::default(),
            known: 0,
            unknown: 0,
            lost: 0,
            has_fractions: false,
            is_uncounted: false,
            mean: None,
        }
    }

    /// Notes what is seen of a member now.
    pub(crate) fn update(&mut self, place: usize, share: &Share) {
        let member = &mut self.members[place];
        let was = *member;
        let (units, part) = member.update(share, self.mean);
        let count = |count: &mut usize, is_one: fn(Says) -> bool| {
            *count = *count + usize::from(is_one(member.says)) - usize::from(is_one(was.says));
        };
        count(&mut self.known, |says| says == Says::Fraction);
        count(&mut self.unknown, Says::is_unknown);
        count(&mut self.lost, |says| says == Says::TooMuch);
        self.has_fractions |= member.says == Says::Fraction;
        let completes = matches!(share.outcome, Some(Outcome::Completed { .. }));
        self.is_uncounted |=
            completes && share.progress.completed == 0 && share.progress.total.is_some_and(|total| total > 0);
        self.work.units = self.work.units.saturating_add(units);
        self.work.members += if was.says == Says::Fraction { part * self.stands_for() } else { part };
        self.work.is_counted |= share.start.is_some();
    }

    /// Returns how many members a known one stands for: those without a fraction are taken to do what the known ones do on
    /// average.
    #[allow(clippy::cast_precision_loss)] // A batch has fewer members.
    fn stands_for(&self) -> f64 {
        if self.known == 0 { 1.0 } else { 1.0 + self.unknown as f64 / self.known as f64 }
    }

    /// Returns the mean fraction of the running members that have one.
    #[allow(clippy::cast_precision_loss)] // A batch has fewer members.
    fn mean(&self) -> Option<f64> {
        let known = self.members.iter().filter(|member| member.says == Says::Fraction).map(|member| member.done);
        (self.known > 0).then(|| known.sum::<f64>() / self.known as f64)
    }

    /// Returns how many members' work is left if this many members are not done: those that have not begun are expected
    /// to find as much as the others. `None` if they may then have nothing to do.
    #[allow(clippy::cast_precision_loss)] // A batch has fewer members.
    fn left(&self, undone: f64) -> Option<f64> {
        let waiting = self.members.iter().filter(|member| member.attempt.number == 0 && !member.has_ended).count();
        let (known, found) = self
            .members
            .iter()
            .filter_map(|member| member.found)
            .fold((0, 0.0), |(known, sum), found| (known + 1, sum + found));
        let found = if known > 0 { found / f64::from(known) } else { 0.0 };
        let left = (undone - waiting as f64 * found).max(0.0);
        Some(left).filter(|left| waiting == 0 || *left > 1e-9)
    }

    /// Returns the progress of the batch.
    pub(crate) fn sum(&mut self) -> Sum {
        self.mean = self.mean();
        // A member that has not begun, or failed before it counted anything, has no unit.
        let mut units = self.members.iter().map(|member| member.unit).filter(|unit| *unit != Unit::None);
        let unit = units.next().unwrap_or_default();
        let is_mixed = units.any(|other| other != unit);
        let completed = self.members.iter().fold(0, |sum: u64, member| sum.saturating_add(member.completed));
        let total = self.members.iter().try_fold(0_u64, |sum, member| sum.checked_add(member.total?));
        let total =
            total.filter(|total| *total > 0 && !is_mixed && !self.is_uncounted && self.by == BatchProgress::ByUnit);
        let mean = self.mean.unwrap_or(0.0);
        let done = |member: &Member| if member.says.is_unknown() { mean } else { member.done };
        let done = self.members.iter().map(done).sum::<f64>();
        // Nothing says how much is left.
        let is_lost = self.lost > 0 && self.mean.is_none();
        let whole = self.members.iter().map(|member| member.whole).sum::<f64>();
        let by_member = || {
            // Nothing is left to do, even if nothing was done.
            let is_over = self.members.iter().all(|member| member.has_ended);
            if is_over { Some(1.0) } else { Some(done / whole).filter(|fraction| fraction.is_finite() && !is_lost) }
        };
        Sum {
            completed,
            total,
            fraction: total.map_or_else(by_member, |_| fraction_of(completed, total)),
            unit: if is_mixed { Unit::None } else { unit },
            is_mixed,
            members: self.left(whole - done).filter(|_| !is_lost).map(|left| Members { left, whole }),
            has_fractions: self.has_fractions,
            work: self.work,
        }
    }
}

#[cfg(test)]
mod tests;
