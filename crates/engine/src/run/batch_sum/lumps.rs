//! Tells what members do at a time from what they find.
//!
//! A member whose first report is an addition has begun with a count of 0, so nothing says whether it has done all of
//! that or has found it. What it does next tells: if [`SEEN`] advances are all far smaller, it has found it. If the
//! member ends before, it was work: members that report only a few times do so in any lumps.
//!
//! Until that is known the first advance does not count, unless the members of the batch are known to do as much at a
//! time. So many short members have the rate of what they do, and one that goes on from where it was does not.
//!
//! Before the estimate of the batch has its starting point all counts at once: it is a part of that point.

use std::ops::Add;

/// How many times as large as a later advance the first one may be. If it is more, it may be no work.
const LEAP: u32 = 3;
/// After how many far smaller advances the first one was no work.
const SEEN: u32 = 5;

/// What a member does at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lump {
    pub(super) units: u64,
    /// How much of the member it is; 0 if the member's total is not known.
    pub(super) part: f64,
}

impl Lump {
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn new(units: u64, total: Option<u64>) -> Self {
        let total = total.filter(|total| *total > 0);
        Self { units, part: total.map_or(0.0, |total| units as f64 / total as f64) }
    }

    fn is_far_larger_than(self, other: Self) -> bool {
        self.units / u64::from(LEAP) > other.units
    }

    fn max(self, other: Self) -> Self {
        Self { units: self.units.max(other.units), part: self.part.max(other.part) }
    }
}

impl Add for Lump {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { units: self.units.saturating_add(other.units), part: self.part + other.part }
    }
}

/// What the members of a batch are known to do at a time.
#[derive(Debug, Default)]
pub(super) struct Lumps {
    /// The largest first advance that was work, and the largest later one.
    first: Lump,
    later: Lump,
    /// Whether the estimate of the batch has its starting point.
    has_begun: bool,
}

impl Lumps {
    /// Notes that the estimate of the batch has its starting point.
    pub(super) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// Whether a first advance counts although it is not known yet whether it was work.
    fn trusts(&self, advance: Lump) -> bool {
        let known = self.first.max(self.later);
        // A part may be small in one member and large in another.
        let is_usual = !advance.is_far_larger_than(known) && advance.part <= known.part * f64::from(LEAP);
        !self.has_begun || is_usual
    }
}

/// The first advance of an attempt that has begun with a count of 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub(super) advance: Lump,
    is_counted: bool,
    /// How many advances came after it, all of them far smaller.
    later: u32,
}

/// What a first advance was.
pub(super) enum Verdict {
    Work,
    /// It was there, and was found late.
    Found,
}

impl First {
    pub(super) fn new(advance: Lump, lumps: &Lumps) -> Self {
        Self { advance, is_counted: lumps.trusts(advance), later: 0 }
    }

    /// Returns what of it has been counted as work.
    pub(super) fn counted(&self) -> Lump {
        if self.is_counted { self.advance } else { Lump::default() }
    }

    /// Returns what of it has not been counted as work.
    pub(super) fn uncounted(&self) -> Lump {
        if self.is_counted { Lump::default() } else { self.advance }
    }

    /// Returns what it was if the advance that follows it tells that.
    pub(super) fn judge(&mut self, next: Lump, has_ended: bool, lumps: &mut Lumps) -> Option<Verdict> {
        lumps.later = lumps.later.max(next);
        if has_ended || !self.advance.is_far_larger_than(next) {
            lumps.first = lumps.first.max(self.advance);
            return Some(Verdict::Work);
        }
        self.later += 1;
        // What was taken for work before may have been found, too.
        (self.later == SEEN).then(|| {
            lumps.first = Lump::default();
            Verdict::Found
        })
    }
}
