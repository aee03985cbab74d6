use std::time::Duration;

/// How long ended tasks and their outcomes are kept: until they are too many, too old or too large, the oldest first.
///
/// Applied whenever a task starts, ends, is removed or is listed. An outcome that somebody waits for is not taken away
/// under them: a page that is told of an end has half a minute to ask for an outcome that was too large to come with it
/// (as long as those together are within `bytes`), and the members of a batch stay until the batch has ended.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::Retention;
///
/// let short = Retention::default().count(100).age(Duration::from_secs(5 * 60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub(crate) count: usize,
    pub(crate) age: Duration,
    pub(crate) bytes: usize,
}

impl Default for Retention {
    /// 1,000 tasks, one hour, 64 MiB.
    fn default() -> Self {
        Self { count: 1_000, age: Duration::from_secs(60 * 60), bytes: 64 * 1024 * 1024 }
    }
}

impl Retention {
    /// How many ended tasks are kept.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// How long an ended task is kept.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// How much the inputs, outcomes and unread items of the ended tasks may take together, in bytes of JSON. The newest one is kept
    /// whatever its size.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
