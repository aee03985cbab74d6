//! Many reports become one look: the part of a task's progress that takes no lock.
//!
//! The counter shares one atomic word with two flags, so a report is one atomic addition that also answers
//! with the flags:
//!
//! - `DIRTY`: the watchers were told, and nobody has looked since. A writer that finds it missing puts it
//!   there and tells the watchers; a reader that looks takes it away, and reads the values after that.
//! - `TOUCHED`: something was reported since [`Conflation::take_touched`] was called last.
//!
//! Whatever is done to one atomic word by read-modify-write happens in one order, however weak the memory
//! ordering. So if a writer finds the flags set, whoever takes them away comes after it and covers its change;
//! if it finds one missing, it sets both itself. A flag beside the counter would need sequential consistency for
//! that, or the writer and the reader could miss each other and the last change would never be shown.
//!
//! What is not in the word (the total, the words) is changed first and then reported with
//! [`Conflation::report`], which releases it. A look acquires it. The other changes of the word are relaxed:
//! being read-modify-writes they pass on what was released before them. Nothing but them may write the word.
//!
//! There may be several readers. Who takes `DIRTY` away counts the revision up for all of them: what was
//! reported while it was set told nobody. So that nobody sees the flag gone and the revision old, readers take
//! turns, under the lock of the task's state.
//!
//! `loom/` compiles this very file with loom's atomics and tries all interleavings.

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

const DIRTY: u64 = 0b01;
const TOUCHED: u64 = 0b10;
const FLAGS: u64 = DIRTY | TOUCHED;
const SHIFT: u32 = FLAGS.count_ones();

/// As far as is counted.
pub(crate) const MOST: u64 = u64::MAX >> SHIFT;

const NO_TOTAL: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Conflation {
    /// The counter, above the flags.
    word: AtomicU64,
    total: AtomicU64,
    /// How often `DIRTY` was taken away: lets each reader tell whether it has shown the newest state.
    revision: AtomicU64,
}

impl Conflation {
    pub(crate) fn new() -> Self {
        Self { word: AtomicU64::new(0), total: AtomicU64::new(NO_TOTAL), revision: AtomicU64::new(0) }
    }

    /// Each writer answers whether the watchers must be told.
    #[inline]
    #[must_use]
    pub(crate) fn inc(&self, by: u64) -> bool {
        let before = self.word.fetch_add(by.min(MOST) << SHIFT, Relaxed);
        before & FLAGS != FLAGS && self.report()
    }

    #[must_use]
    pub(crate) fn set(&self, completed: u64) -> bool {
        self.word.swap((completed.min(MOST) << SHIFT) | FLAGS, Relaxed) & DIRTY == 0
    }

    #[must_use]
    pub(crate) fn set_total(&self, total: Option<u64>) -> bool {
        self.total.store(total.unwrap_or(NO_TOTAL), Relaxed);
        self.report()
    }

    /// Something outside of the word has changed.
    #[must_use]
    pub(crate) fn report(&self) -> bool {
        self.word.fetch_or(FLAGS, Release) & DIRTY == 0
    }

    /// Back to nothing done and no total. That is news, but nothing that the work has reported.
    #[must_use]
    pub(crate) fn restart(&self) -> bool {
        self.total.store(NO_TOTAL, Relaxed);
        self.word.swap(DIRTY, Release) & DIRTY == 0
    }

    /// Lets the next change tell the watchers again, and says which the newest revision is. To be called
    /// before the values are read, by one reader at a time.
    pub(crate) fn look(&self) -> u64 {
        let news = self.word.fetch_and(!DIRTY, Acquire) & DIRTY;
        self.revision.fetch_add(news, Relaxed) + news
    }

    /// Whether anything was reported since the last call. Costs the reports nothing, but for the first one after
    /// it. Relaxed, as it says nothing of what was reported.
    #[must_use]
    pub(crate) fn take_touched(&self) -> bool {
        self.word.fetch_and(!TOUCHED, Relaxed) & TOUCHED != 0
    }

    pub(crate) fn completed(&self) -> u64 {
        self.word.load(Relaxed) >> SHIFT
    }

    pub(crate) fn total(&self) -> Option<u64> {
        Some(self.total.load(Relaxed)).filter(|total| *total != NO_TOTAL)
    }
}
