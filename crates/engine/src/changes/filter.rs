use serde::{Deserialize, Serialize};

use crate::{TaskId, TaskStatus};

/// Selects the tasks to list or watch: those that match every given part. The default matches all tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TaskFilter {
    /// The task's kind has one of these names.
    pub task: Option<Vec<String>>,
    /// The task has one of these statuses.
    pub status: Option<Vec<TaskStatus>>,
    /// The task has at least one of these tags.
    pub tag: Option<Vec<String>>,
    /// The task has one of these keys.
    pub key: Option<Vec<String>>,
    /// The task is a member of one of these batches.
    pub parent: Option<Vec<TaskId>>,
}

impl TaskFilter {
    /// Matches tasks of the kind `name` too. The first call narrows the filter from all kinds to this one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task.get_or_insert_default().push(name.into());
        self
    }

    /// Matches tasks in this status too. The first call narrows the filter from all statuses to this one.
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.status.get_or_insert_default().push(status);
        self
    }

    /// Matches tasks with this tag too. The first call narrows the filter to tasks with this tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag.get_or_insert_default().push(tag.into());
        self
    }

    /// Matches tasks with this key too. The first call narrows the filter to tasks with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key.get_or_insert_default().push(key.into());
        self
    }

    /// Matches members of this batch too. The first call narrows the filter to members of this batch.
    #[must_use]
    pub fn parent(mut self, batch: TaskId) -> Self {
        self.parent.get_or_insert_default().push(batch);
        self
    }

    pub(crate) fn matches(&self, task: &Filtered<'_>) -> bool {
        let any = |wanted: &Option<Vec<String>>, has: &dyn Fn(&String) -> bool| {
            wanted.as_ref().is_none_or(|wanted| wanted.iter().any(has))
        };
        any(&self.task, &|name| name == task.name)
            && self.status.as_ref().is_none_or(|statuses| statuses.contains(&task.status))
            && any(&self.tag, &|tag| task.tags.contains(tag))
            && any(&self.key, &|key| task.key == Some(&**key))
            && self.parent.as_ref().is_none_or(|batches| task.parent.is_some_and(|parent| batches.contains(&parent)))
    }
}

/// The parts of a task that a [`TaskFilter`] checks.
pub struct Filtered<'a> {
    pub name: &'a str,
    pub status: TaskStatus,
    pub tags: &'a [String],
    pub key: Option<&'a str>,
    pub parent: Option<TaskId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task<'a>(name: &'a str, status: TaskStatus, tags: &'a [String]) -> Filtered<'a> {
        Filtered { name, status, tags, key: None, parent: None }
    }

    #[test]
    fn every_given_part_must_match_and_a_missing_part_matches_all_tasks() {
        assert!(TaskFilter::default().matches(&task("a", TaskStatus::Running, &[])));
        let filter = TaskFilter::default().task("a").task("b").status(TaskStatus::Failed);
        assert!(filter.matches(&task("b", TaskStatus::Failed, &[])));
        assert!(!filter.matches(&task("c", TaskStatus::Failed, &[])));
        assert!(!filter.matches(&task("a", TaskStatus::Running, &[])));
        let none = TaskFilter { task: Some(vec![]), ..TaskFilter::default() };
        assert!(!none.matches(&task("a", TaskStatus::Failed, &[])), "an empty part matches nothing");
    }

    #[test]
    fn tags_keys_and_batches_narrow_too() {
        let tags = ["sync".to_owned(), "night".to_owned()];
        let batch = TaskId::new();
        let task = Filtered { key: Some("k"), parent: Some(batch), ..task("a", TaskStatus::Queued, &tags) };
        assert!(TaskFilter::default().tag("other").tag("night").key("k").parent(batch).matches(&task));
        assert!(!TaskFilter::default().tag("other").matches(&task));
        assert!(!TaskFilter::default().key("other").matches(&task));
        assert!(!TaskFilter::default().parent(TaskId::new()).matches(&task));
    }
}
