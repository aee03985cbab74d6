//! The fraction that is shown of a batch. It never falls unless there is more to do than was known.
//!
//! A batch is measured by unit or by member. When one measure takes over from the other, or the mean of the members that
//! are known falls because one of them has ended, what is left seems to grow, although nothing was undone.
//!
//! - Units take over only when they are as far as what is shown.
//! - When the members are less far than what is shown, the bar stands still for that moment, and what is left of it is
//!   then shared out over what is left of the members. So it moves all the time, and is full when the time left is over.

#[derive(Debug)]
pub(super) struct Bar {
    /// What was shown last, and can't be taken back.
    shown: Option<f64>,
    /// How much of the bar is left for each part of the members that is left.
    scale: f64,
}

impl Bar {
    pub(super) const fn new() -> Self {
        Self { shown: None, scale: 1.0 }
    }

    /// Lets the bar fall once, because there is more to do: a member begins again, has set its count back, or tells
    /// its first total or a larger one.
    pub(super) fn may_fall(&mut self) {
        self.shown = None;
    }

    /// Shows this fraction of the units, unless the bar is further than that. Returns what is shown.
    pub(super) fn by_unit(&mut self, fraction: f64) -> Option<f64> {
        if self.shown.is_some_and(|shown| shown > fraction) {
            return None;
        }
        *self = Self { shown: Some(fraction), scale: 1.0 };
        self.shown
    }

    /// Shows this fraction of the members. Returns what is shown; `None` if the bar was full before.
    pub(super) fn by_member(&mut self, fraction: f64) -> Option<f64> {
        // Not to be rounded while nothing was held back.
        let scaled = if self.scale < 1.0 { 1.0 - self.scale * (1.0 - fraction) } else { fraction };
        match self.shown.filter(|shown| *shown > scaled) {
            Some(shown) if shown < 1.0 => self.scale = (1.0 - shown) / (1.0 - fraction),
            Some(_) => return None,
            None => self.shown = Some(scaled),
        }
        self.shown
    }
}
