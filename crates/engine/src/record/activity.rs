use super::Record;
use crate::task::id::TaskId;

/// What a task has done so far.
#[derive(PartialEq)]
pub(super) struct Activity {
    pub(super) id: TaskId,
    attempt: u32,
    polls: u64,
    /// Changes with every report of progress.
    reports: u64,
    /// The number of the item or byte that it emits next.
    next: u64,
}

impl Record {
    /// Returns `None` if its handler has not begun, or has work on other threads.
    pub(super) fn activity(&self) -> Option<Activity> {
        let attempt = self.attempt()?;
        if attempt.has_work_beside() {
            return None;
        }
        Some(Activity {
            id: self.id,
            attempt: attempt.number,
            polls: attempt.polls(),
            reports: attempt.progress.reports(),
            next: self.items.get().map_or(0, |items| items.next()),
        })
    }
}
