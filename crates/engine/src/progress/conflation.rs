//! Conflates many reports of progress into one notice to the watchers, without a lock.
//!
//! The counter shares one atomic word with three flags, so a report is one atomic addition that also returns the flags:
//!
//! - `DIRTY`: the watchers were told, and none has looked since. A writer that finds it clear sets it and tells the
//!   watchers. A watcher that looks clears it first, and then reads the values.
//! - `TOUCHED`: something was reported since the last call of [`Conflation::reports`].
//! - `SAMPLED`: the sampler has been told that the count moves. The writer of a count that finds it clear sets it and
//!   tells the sampler, which clears it when the count has stood still for a while.
//!
//! All read-modify-writes of one atomic word happen in one order, even if they are relaxed. So if a writer finds the
//! flags set, they are cleared after its change, and the thread that clears them sees the change. If the writer finds a
//! flag clear, it sets both itself. A flag beside the counter would need sequential consistency: otherwise writer and
//! watcher could miss each other, and the last change would never be shown.
//!
//! Values outside of the word (total, unit, message, detail) are changed first. Then [`Conflation::report`] releases
//! them, and [`Conflation::look`] acquires them. The other changes of the word are relaxed: as read-modify-writes they
//! continue the release sequence. The word may only be written by read-modify-writes.
//!
//! There may be several watchers. The one that clears `DIRTY` increments the revision for all of them, because nobody
//! was told of the reports made while it was set. Looks are made under the lock of the task's state, so that no watcher
//! sees the flag clear and the old revision.
//!
//! `loom/` compiles this file with loom's atomics and tries all interleavings.

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

const DIRTY: u64 = 0b01;
const TOUCHED: u64 = 0b10;
const SAMPLED: u64 = 0b100;
const FLAGS: u64 = DIRTY | TOUCHED | SAMPLED;
const SHIFT: u32 = FLAGS.count_ones();

/// The largest count.
pub(crate) const MOST: u64 = u64::MAX >> SHIFT;

const NO_TOTAL: u64 = u64::MAX;

/// Who has to be told of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Due {
    pub(crate) watchers: bool,
    pub(crate) sampler: bool,
}

impl Due {
    pub(crate) const NOBODY: Self = Self { watchers: false, sampler: false };

    /// Whether anybody has to be told.
    #[inline]
    pub(crate) fn is_due(self) -> bool {
        self.watchers || self.sampler
    }
}

#[derive(Debug)]
pub(crate) struct Conflation {
    /// The counter, above the flags.
    word: AtomicU64,
    total: AtomicU64,
    /// Grows whenever `DIRTY` is cleared. It tells each watcher whether it has shown the newest state.
    revision: AtomicU64,
    /// Grows whenever `TOUCHED` is cleared.
    reports: AtomicU64,
}

impl Conflation {
    /// `revision` is the first revision.
    pub(crate) fn new(revision: u64) -> Self {
        Self {
            word: AtomicU64::new(0),
            total: AtomicU64::new(NO_TOTAL),
            revision: AtomicU64::new(revision),
            reports: AtomicU64::new(0),
        }
    }

    /// Like all writers, returns who has to be told.
    #[inline]
    pub(crate) fn inc(&self, by: u64) -> Due {
        let before = self.word.fetch_add(by.min(MOST) << SHIFT, Relaxed);
        if before & FLAGS == FLAGS { Due::NOBODY } else { self.flag(FLAGS) }
    }

    pub(crate) fn set(&self, completed: u64) -> Due {
        due(FLAGS, self.word.swap((completed.min(MOST) << SHIFT) | FLAGS, Relaxed))
    }

    pub(crate) fn set_total(&self, total: Option<u64>) -> Due {
        self.total.store(total.unwrap_or(NO_TOTAL), Relaxed);
        self.report()
    }

    /// Reports a change of a value outside of the word.
    pub(crate) fn report(&self) -> Due {
        self.flag(DIRTY | TOUCHED)
    }

    /// Makes news for the watchers, but does not count as a report.
    pub(crate) fn renew(&self) -> Due {
        self.flag(DIRTY)
    }

    fn flag(&self, flags: u64) -> Due {
        due(flags, self.word.fetch_or(flags, Release))
    }

    /// Lets the next report of a count tell the sampler again. Returns the count before that report.
    pub(crate) fn let_go(&self) -> u64 {
        self.word.fetch_and(!SAMPLED, Relaxed) >> SHIFT
    }

    /// Undoes [`let_go`](Self::let_go).
    pub(crate) fn hold(&self) {
        self.word.fetch_or(SAMPLED, Relaxed);
    }

    /// Lets the next change tell the watchers again. Returns the newest revision. Call it before the values are read,
    /// and never from two threads at once.
    pub(crate) fn look(&self) -> u64 {
        let news = self.word.fetch_and(!DIRTY, Acquire) & DIRTY;
        self.revision.fetch_add(news, Relaxed) + news
    }

    /// Returns a number that grows from one call to the next if anything was reported in between, by whomever it is called.
    /// It slows down only the next report. It is relaxed, since it says nothing about the values that were reported. Never
    /// call it from two threads at once.
    pub(crate) fn reports(&self) -> u64 {
        let news = u64::from(self.word.fetch_and(!TOUCHED, Relaxed) & TOUCHED != 0);
        self.reports.fetch_add(news, Relaxed) + news
    }

    pub(crate) fn completed(&self) -> u64 {
        self.word.load(Relaxed) >> SHIFT
    }

    pub(crate) fn total(&self) -> Option<u64> {
        Some(self.total.load(Relaxed)).filter(|total| *total != NO_TOTAL)
    }
}

/// Returns who has to be told after `flags` were set and the word was `before`.
fn due(flags: u64, before: u64) -> Due {
    let set = flags & !before;
    Due { watchers: set & DIRTY != 0, sampler: set & SAMPLED != 0 }
}
