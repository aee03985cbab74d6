use serde::{Deserialize, Serialize};

use super::TaskStatus;

/// Which tasks to list or watch: those that match every part that is given; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TaskFilter {
    /// Names; any of them.
    pub task: Option<Vec<String>>,
    /// Statuses; any of them.
    pub status: Option<Vec<TaskStatus>>,
}

impl TaskFilter {
    /// Tasks of this name too. The first call narrows the filter from all names to this one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.task.get_or_insert_default().push(name.into());
        self
    }

    /// Tasks in this status too. The first call narrows the filter from all statuses to this one.
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.status.get_or_insert_default().push(status);
        self
    }

    pub(crate) fn matches(&self, name: &str, status: TaskStatus) -> bool {
        self.task.as_ref().is_none_or(|names| names.iter().any(|other| other == name))
            && self.status.as_ref().is_none_or(|statuses| statuses.contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_given_part_must_match_and_a_missing_part_matches_all() {
        assert!(TaskFilter::default().matches("a", TaskStatus::Running));
        let filter = TaskFilter { task: Some(vec!["a".into(), "b".into()]), status: Some(vec![TaskStatus::Failed]) };
        assert!(filter.matches("b", TaskStatus::Failed));
        assert!(!filter.matches("c", TaskStatus::Failed));
        assert!(!filter.matches("a", TaskStatus::Running));
        assert!(!TaskFilter { task: Some(vec![]), status: None }.matches("a", TaskStatus::Failed), "none of none");
    }
}
