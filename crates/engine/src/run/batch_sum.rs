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
    has_ended: bool,
    attempt: Attempt,
}

/// What the current attempt of a member has done.
#[derive(Debug, Clone, Copy, Default)]
struct Attempt {
    number: u32,
    /// The count that was last seen; at first the one that the attempt began with.
    seen: Option<u64>,
    /// How much of the member it has worked on since.
    worked: f64,
}

impl Member {
    const WAITING: Self = Self {
        unit: Unit::None,
        completed: 0,
        total: None,
        done: 0.0,
        whole: 1.0,
        has_ended: false,
        attempt: Attempt { number: 0, seen: None, worked: 0.0 },
    };

    /// Notes what is seen of it now. Returns what it has worked on since it was last seen: units, and how much of a
    /// member.
    fn update(&mut self, share: &Share) -> (u64, f64) {
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
        // While its fraction is unknown, nothing more is known to be done.
        self.done = fraction.unwrap_or(self.done);
        let Some(outcome) = share.outcome.as_ref().filter(|_| !self.has_ended) else { return (units, part) };
        self.has_ended = true;
        if matches!(outcome, Outcome::Completed { .. }) {
            // What was not counted is done, too. If nothing was, all of it was done without a report before the end.
            let found = share.start.and_then(|start| fraction_of(start, progress.total));
            let found = found.filter(|_| self.attempt.worked > 0.0).unwrap_or(0.0);
            part += (1.0 - found - self.attempt.worked).max(0.0);
            self.done = 1.0;
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
        let units = completed.saturating_sub(before);
        let part = total.map_or(0.0, |total| (units as f64 / total as f64).min(1.0));
        attempt.worked += part;
        (units, part)
    }
}

impl BatchSum {
    /// Returns the sum of this many members, none of which has begun.
    pub(crate) fn new(by: BatchProgress, members: usize) -> Self {
        Self { by, members: vec![Member::WAITING; members], work: Work::default() }
    }

    /// Notes what is seen of a member now.
    pub(crate) fn update(&mut self, place: usize, share: &Share) {
        let (units, part) = self.members[place].update(share);
        self.work.units = self.work.units.saturating_add(units);
        self.work.members += part;
        self.work.is_counted |= share.start.is_some();
    }

    /// Returns the progress of the batch.
    pub(crate) fn sum(&self) -> Sum {
        // A member that has not begun, or failed before it counted anything, has no unit.
        let mut units = self.members.iter().map(|member| member.unit).filter(|unit| *unit != Unit::None);
        let unit = units.next().unwrap_or_default();
        let is_mixed = units.any(|other| other != unit);
        let completed = self.members.iter().fold(0, |sum: u64, member| sum.saturating_add(member.completed));
        let total = self.members.iter().try_fold(0_u64, |sum, member| sum.checked_add(member.total?));
        let total = total.filter(|total| *total > 0 && !is_mixed && self.by == BatchProgress::ByUnit);
        let done = self.members.iter().map(|member| member.done).sum::<f64>();
        let whole = self.members.iter().map(|member| member.whole).sum::<f64>();
        let by_member = || {
            // Nothing is left to do, even if nothing was done.
            let is_over = self.members.iter().all(|member| member.has_ended);
            if is_over { Some(1.0) } else { Some(done / whole).filter(|fraction| fraction.is_finite()) }
        };
        Sum {
            completed,
            total,
            fraction: total.map_or_else(by_member, |_| fraction_of(completed, total)),
            unit: if is_mixed { Unit::None } else { unit },
            is_mixed,
            members: Members { left: (whole - done).max(0.0), whole },
            work: self.work,
        }
    }
}

#[cfg(test)]
mod tests;
