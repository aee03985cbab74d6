//! Every report of progress in order, for a test.

#[cfg(any(test, feature = "test"))]
pub(crate) use of_a_test::{Recording, Report};

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    /// How much is done, how much there is, or its unit.
    Number,
    Message,
    Detail,
}

#[cfg(any(test, feature = "test"))]
mod of_a_test {
    use std::{
        sync::atomic::{AtomicBool, Ordering::SeqCst},
        task::{Context, Waker},
    };

    use parking_lot::Mutex;
    use tokio::task::coop::poll_proceed;

    use super::Reported;
    use crate::progress::Progress;

    /// The reports of a task, those of a later attempt after those of the earlier ones.
    #[derive(Debug, Default)]
    pub(crate) struct Recording {
        reports: Mutex<Vec<Report>>,
        /// Whether a report lets the handler wait at its next `.await`.
        is_looked_at: AtomicBool,
    }

    /// One report of progress.
    #[derive(Debug, Clone)]
    pub(crate) struct Report {
        pub(crate) what: Reported,
        /// The progress right after it, without what follows from the time of the reports.
        pub(crate) progress: Progress,
    }

    impl Recording {
        /// Returns how many reports there are.
        pub(crate) fn len(&self) -> usize {
            self.reports.lock().len()
        }

        pub(crate) fn add(&self, what: Reported, progress: Progress) {
            self.reports.lock().push(Report { what, progress });
            if self.is_looked_at.load(SeqCst) {
                use_up_budget();
            }
        }

        /// Sets whether the handler waits at the first `.await` after a report, even if what it awaits is ready. That holds
        /// for what tokio has, as in a handler that has run for long.
        pub(crate) fn set_looked_at(&self, is_looked_at: bool) {
            self.is_looked_at.store(is_looked_at, SeqCst);
        }

        /// Returns the progress after each report from number `place` on, from 0.
        pub(crate) fn progress_from(&self, place: usize) -> Vec<Progress> {
            self.reports.lock().iter().skip(place).map(|report| report.progress.clone()).collect()
        }

        /// Returns the reports so far.
        pub(crate) fn reports(&self) -> Vec<Report> {
            self.reports.lock().clone()
        }
    }

    /// The most that tokio lets a task do in one go.
    const BUDGET: u32 = 128;

    /// Uses up what tokio lets the current task do in this poll of it.
    fn use_up_budget() {
        for _ in 0..=BUDGET {
            if let std::task::Poll::Ready(one) = poll_proceed(&mut Context::from_waker(Waker::noop())) {
                one.made_progress();
            }
        }
    }
}
