//! What is known of one member of a batch, and how much of what it counts it has worked on.

use super::lumps::{First, Lump, Lumps, Verdict};
use crate::{
    progress::{Progress, Unit, cell::fraction_of},
    record::snapshot::Share,
    task::outcome::Outcome,
};

/// What is known of one member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) unit: Unit,
    pub(super) completed: u64,
    pub(super) total: Option<u64>,
    /// The total that it reported last, in whichever attempt.
    reported_total: Option<u64>,
    /// How much of the member is done, and how much there is to do: 1, or what it did if it has ended without completing.
    pub(super) done: f64,
    pub(super) whole: f64,
    pub(super) says: Says,
    /// How much of it was there before it began to work.
    pub(super) found: Option<f64>,
    pub(super) has_ended: bool,
    pub(super) attempt: Attempt,
}

/// What the numbers of a member say of how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
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
    pub(super) fn is_unknown(self) -> bool {
        matches!(self, Self::NoTotal | Self::TooMuch)
    }
}

/// What the current attempt of a member has done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attempt {
    pub(super) number: u32,
    /// The count that was last seen; at first the one that the attempt began with.
    seen: Option<u64>,
    /// How much of the member it has worked on since.
    worked: f64,
    has_advanced: bool,
    /// Its first advance, until it is known whether that was work.
    first: Option<First>,
    /// What was there and was found by an addition, in units.
    leap: u64,
}

impl Member {
    pub(super) const WAITING: Self = Self {
        unit: Unit::None,
        completed: 0,
        total: None,
        reported_total: None,
        done: 0.0,
        whole: 1.0,
        says: Says::Nothing,
        found: None,
        has_ended: false,
        attempt: Attempt { number: 0, seen: None, worked: 0.0, has_advanced: false, first: None, leap: 0 },
    };

    /// Whether there is more to do of it now than was known: it begins again, has set its count back, or has a larger
    /// total than before.
    pub(super) fn grows(&self, share: &Share) -> bool {
        let Progress { completed, total, .. } = share.progress;
        let begins_again = self.attempt.number > 0 && share.attempt != self.attempt.number;
        begins_again || completed < self.completed || total > self.reported_total.max(Some(0))
    }

    /// Notes what is seen of it now. Returns what it has worked on since it was last seen: units, and how much of a
    /// member. `mean` is how much the other members have done on average, and `lumps` is what they do at a time.
    pub(super) fn update(&mut self, share: &Share, mean: Option<f64>, lumps: &mut Lumps) -> (u64, f64) {
        if self.has_ended {
            return (0, 0.0);
        }
        let progress = &share.progress;
        if share.attempt != self.attempt.number {
            self.attempt = Attempt { number: share.attempt, ..Attempt::default() };
            self.done = 0.0;
        }
        let fraction = fraction_of(progress.completed, progress.total);
        let (units, mut part) = self.attempt.advance(share, lumps);
        // A member that begins again is expected to have the same total.
        let expected = self.total.filter(|_| share.start.is_none());
        (self.unit, self.completed, self.total) = (progress.unit, progress.completed, progress.total.or(expected));
        self.reported_total = progress.total.or(self.reported_total);
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
        let Some(outcome) = &share.outcome else { return (units, part) };
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
}

impl Attempt {
    /// Notes its count. Returns the units that it has worked on since it was last seen, and how much of the member they
    /// are.
    fn advance(&mut self, share: &Share, lumps: &mut Lumps) -> (u64, f64) {
        let (completed, total) = (share.progress.completed, share.progress.total);
        let Some(before) = self.seen.or(share.start) else { return (0, 0.0) };
        self.seen = Some(completed);
        let advance = Lump::new(completed.saturating_sub(before), total.filter(|total| completed <= *total));
        let work = self.judge(advance, before == 0, share.outcome.is_some(), lumps);
        self.worked += work.part;
        (work.units, work.part)
    }

    /// Returns how much of this advance, and of the first one, is now known to be work.
    fn judge(&mut self, advance: Lump, from_zero: bool, has_ended: bool, lumps: &mut Lumps) -> Lump {
        if advance.units == 0 && !has_ended {
            return advance;
        }
        let Some(first) = &mut self.first else {
            if std::mem::replace(&mut self.has_advanced, true) || !from_zero || has_ended {
                return advance;
            }
            let first = self.first.insert(First::new(advance, lumps));
            return first.counted();
        };
        match first.judge(advance, has_ended, lumps) {
            None => advance,
            Some(Verdict::Work) => {
                let late = first.uncounted();
                self.first = None;
                advance + late
            }
            Some(Verdict::Found) => {
                self.leap = first.advance.units;
                self.worked -= first.counted().part;
                self.first = None;
                advance
            }
        }
    }
}
