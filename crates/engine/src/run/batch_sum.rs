//! Adds up the progress of a batch's members.

mod bar;
mod lumps;
mod member;

use self::{
    bar::Bar,
    lumps::Lumps,
    member::{Member, Says},
};
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
    bar: Bar,
    lumps: Lumps,
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
            bar: Bar::new(),
            lumps: Lumps::default(),
        }
    }

    /// Notes what is seen of a member now.
    pub(crate) fn update(&mut self, place: usize, share: &Share) {
        let member = &mut self.members[place];
        let was = *member;
        if was.grows(share) {
            self.bar.may_fall();
        }
        let (units, part) = member.update(share, self.mean, &mut self.lumps);
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
        if self.work.is_counted {
            self.lumps.begin();
        }
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
        let whole = self.members.iter().map(|member| member.whole).sum::<f64>();
        let by_unit = fraction_of(completed, total).and_then(|fraction| self.bar.by_unit(fraction));
        let fraction =
            by_unit.or_else(|| self.by_member(done, whole).and_then(|fraction| self.bar.by_member(fraction)));
        Sum {
            completed,
            total: total.filter(|_| by_unit.is_some()),
            fraction,
            unit: if is_mixed { Unit::None } else { unit },
            is_mixed,
            members: self.left(whole - done).filter(|_| fraction.is_some()).map(|left| Members { left, whole }),
            has_fractions: self.has_fractions,
            work: self.work,
        }
    }

    /// Returns the fraction of the members if this many of them are done; `None` if nothing says how much is left.
    fn by_member(&self, done: f64, whole: f64) -> Option<f64> {
        if self.members.iter().all(|member| member.has_ended) {
            // Nothing is left to do, even if nothing was done.
            return Some(1.0);
        }
        let is_lost = self.lost > 0 && self.mean.is_none();
        // All that are known are done, and the others are not like them: they still run.
        let is_past_all = self.unknown > 0 && done >= whole;
        Some(done / whole).filter(|fraction| fraction.is_finite() && !is_lost && !is_past_all)
    }
}

#[cfg(test)]
mod tests;
