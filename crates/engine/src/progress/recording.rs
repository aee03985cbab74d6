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
    use parking_lot::Mutex;

    use super::Reported;
    use crate::progress::Progress;

    /// The reports of a task, those of a later attempt after those of the earlier ones.
    #[derive(Debug, Default)]
    pub(crate) struct Recording(Mutex<Vec<Report>>);

    /// One report of progress.
    #[derive(Debug, Clone)]
    pub(crate) struct Report {
        pub(crate) what: Reported,
        /// The progress right after it, without what follows from the time of the reports.
        pub(crate) progress: Progress,
    }

    impl Recording {
        pub(crate) fn add(&self, what: Reported, progress: Progress) {
            self.0.lock().push(Report { what, progress });
        }

        /// Returns the reports so far.
        pub(crate) fn reports(&self) -> Vec<Report> {
            self.0.lock().clone()
        }
    }
}
