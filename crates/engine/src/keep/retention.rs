use std::time::Duration;

/// How long ended tasks and their outcomes are kept. They are dropped, oldest first, when they are too many, too old or
/// too large.
///
/// It is applied whenever a task starts, ends, is removed or is listed. There are two exceptions. If a task's items are
/// still being read, or its outcome is too large to be sent with the end and somebody follows the task, it is kept for
/// half a minute, as long as all such tasks together are within `bytes`. The members of a batch are kept until the
/// batch has ended.
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
    /// Returns a retention of 1,000 tasks, one hour and 64 MiB.
    fn default() -> Self {
        Self { count: 1_000, age: Duration::from_secs(60 * 60), bytes: 64 * 1024 * 1024 }
    }
}

impl Retention {
    /// Sets how many ended tasks are kept.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// Sets how long an ended task is kept. The time in which the machine sleeps doesn't count.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets how large the inputs, outcomes, unread items, keys, labels and tags of all ended tasks may be together, in
    /// bytes as JSON. The newest task is kept whatever its size.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
