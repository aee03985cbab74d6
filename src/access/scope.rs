//! Decides what a caller may start and see, from the scope entries of its permissions.

use std::sync::Arc;

use glob::Pattern;
use serde::Deserialize;
use tauri::ipc::CommandScope;

use super::scope_entry::{RawScopeEntry, Reach};

/// One scope entry with its pattern parsed.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawScopeEntry")]
pub(crate) struct ScopeEntry {
    task: Pattern,
    owner: Reach,
}

impl TryFrom<RawScopeEntry> for ScopeEntry {
    type Error = String;

    fn try_from(raw: RawScopeEntry) -> Result<Self, String> {
        let task = Pattern::new(&raw.task).map_err(|problem| {
            format!("\"{}\" in a scope entry of the tasks plugin is not a valid pattern: {problem}", raw.task)
        })?;
        Ok(Self { task, owner: raw.owner })
    }
}

/// Why a task may not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartRefusal {
    /// An entry under "deny" matches the task.
    Denied,
    /// No entry allows the task.
    NotAllowed,
}

/// The entries that apply to one call of one command. Nothing is allowed by default, and a denial wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    allowed: Vec<Arc<ScopeEntry>>,
    denied: Vec<Arc<ScopeEntry>>,
}

impl From<CommandScope<ScopeEntry>> for Scope {
    fn from(scope: CommandScope<ScopeEntry>) -> Self {
        Self { allowed: scope.allows().clone(), denied: scope.denies().clone() }
    }
}

impl Scope {
    /// Checks that `task` may be started.
    pub(crate) fn check_start(&self, task: &str) -> Result<(), StartRefusal> {
        if self.denies(task) {
            return Err(StartRefusal::Denied);
        }
        if !self.allowed.iter().any(|entry| entry.task.matches(task)) {
            return Err(StartRefusal::NotAllowed);
        }
        Ok(())
    }

    /// Returns whether all tasks are visible, whatever their names and owners.
    pub(crate) fn sees_everything(&self) -> bool {
        let everything = |entry: &Arc<ScopeEntry>| entry.owner == Reach::Any && entry.task.as_str() == "*";
        self.denied.is_empty() && self.allowed.iter().any(everything)
    }

    /// Returns whether a task of the kind `task` is visible. Unless it is the caller's `own`, an entry with the owner
    /// `any` must match it.
    pub(crate) fn sees(&self, task: &str, own: bool) -> bool {
        let allowed = || self.allowed.iter().any(|entry| entry.owner == Reach::Any && entry.task.matches(task));
        !self.denies(task) && (own || allowed())
    }

    /// Returns the patterns of the entries that only add tasks which the page itself has started.
    pub(crate) fn own_only(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().filter(|entry| entry.owner == Reach::Own).map(|entry| entry.task.as_str())
    }

    fn denies(&self, task: &str) -> bool {
        self.denied.iter().any(|entry| entry.task.matches(task))
    }
}

#[cfg(test)]
impl Scope {
    /// Returns the scope of a page that sees all tasks.
    pub(crate) fn everything() -> Self {
        let all = ScopeEntry { task: Pattern::new("*").unwrap(), owner: Reach::Any };
        Self { allowed: vec![Arc::new(all)], denied: Vec::new() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(in crate::access) fn scope(allow: Value, deny: Value) -> Scope {
        let entries =
            |value| serde_json::from_value::<Vec<ScopeEntry>>(value).unwrap().into_iter().map(Arc::new).collect();
        Scope { allowed: entries(allow), denied: entries(deny) }
    }

    #[test]
    fn a_task_may_be_started_only_if_an_entry_allows_it() {
        assert!(Scope::default().check_start("download").is_err());
        let scope = scope(json!([{ "task": "down*" }]), json!([]));
        assert!(scope.check_start("download").is_ok());
        assert!(scope.check_start("upload").is_err());
    }

    #[test]
    fn a_denial_wins_over_a_permission() {
        let scope = scope(json!([{ "task": "*", "owner": "any" }]), json!([{ "task": "secret" }]));
        assert_eq!(scope.check_start("secret"), Err(StartRefusal::Denied));
        assert!(!scope.sees("secret", true) && !scope.sees("secret", false));
        assert!(scope.sees("other", false));
    }

    #[test]
    fn the_tasks_of_others_are_visible_only_with_an_entry_for_any_owner() {
        assert!(Scope::default().sees("download", true));
        assert!(!Scope::default().sees("download", false));
        assert!(!scope(json!([{ "task": "*" }]), json!([])).sees("download", false), "the default is \"self\"");
        assert!(scope(json!([{ "task": "*", "owner": "any" }]), json!([])).sees("download", false));
    }

    #[test]
    fn a_typo_in_an_entry_is_an_error() {
        assert!(serde_json::from_value::<ScopeEntry>(json!({ "task": "a", "ownr": "any" })).is_err());
        assert!(serde_json::from_value::<ScopeEntry>(json!({ "task": "a", "owner": "all" })).is_err());
        let error = serde_json::from_value::<ScopeEntry>(json!({ "task": "[" })).unwrap_err();
        assert!(error.to_string().contains("not a valid pattern"), "{error}");
    }
}
