use std::collections::HashSet;

use tauri_plugin_tasks_engine::delivery::logged;

use super::scope::Scope;
use crate::lock::{IDLE_ENTRIES, Lock};

/// The commands of the permissions whose entries without `"owner": "any"` name what may be started. With `leave`, a page gives
/// back what it has started.
const STARTING: [&str; 5] = ["start", "rerun", "batch", "trigger", "leave"];

/// The entries that add nothing to what a page may do. The log names each once, since whoever has written it may believe
/// that it takes something away.
#[derive(Default)]
pub(crate) struct IdleEntries(Lock<HashSet<String>, IDLE_ENTRIES>);

impl IdleEntries {
    /// Warns of the entries that change nothing for this command.
    pub(crate) fn warn(&self, command: &str, scope: &Scope) {
        for task in self.unnamed(command, scope) {
            let (task, command) = (logged(task), logged(command));
            tracing::warn!(
                "the scope entry {{ \"task\": \"{task}\", \"owner\": \"self\" }} (\"self\" is also what a missing owner means) \
                 changes nothing for the command \"{command}\" of the tasks plugin, which starts nothing: a page may use it for \
                 all of its own tasks, and an entry only adds to that. In src-tauri/capabilities/*.json, replace the entry by \
                 one under \"deny\" that names what the page must not use the command for; or give it \"owner\": \"any\" if it \
                 is meant to add the tasks of others; or, if it says what may be started, move it to \"tasks:allow-start\" or \
                 \"tasks:allow-trigger\": an entry of \"tasks:default\" says that, too, but it also stands for all other commands of \
                 that set"
            );
        }
    }

    /// Returns the patterns of those entries that the log has not named yet.
    fn unnamed(&self, command: &str, scope: &Scope) -> Vec<String> {
        if STARTING.contains(&command) {
            return Vec::new();
        }
        let tasks: Vec<_> = scope.own_only().collect();
        if tasks.is_empty() {
            return Vec::new();
        }
        let mut named = self.0.lock();
        tasks.into_iter().filter(|task| named.insert((*task).to_owned())).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::access::scope::tests::scope;

    #[test]
    fn an_entry_for_the_page_itself_is_named_once_unless_it_says_what_may_be_started() {
        let any = json!({ "task": "any-*", "owner": "any" });
        let scope = scope(json!([{ "task": "a" }, { "task": "b", "owner": "self" }, any]), json!([{ "task": "c" }]));
        for command in ["open", "ack", "get", "list", "watch", "cancel", "cancel_all", "read", "counts", "schedules"] {
            let entries = IdleEntries::default();
            assert_eq!(entries.unnamed(command, &scope), ["a", "b"], "{command}");
            assert!(entries.unnamed(command, &scope).is_empty() && entries.unnamed("pause", &scope).is_empty());
            assert!(IdleEntries::default().unnamed(command, &Scope::default()).is_empty());
        }
        for command in STARTING {
            assert!(IdleEntries::default().unnamed(command, &scope).is_empty(), "{command}");
        }
    }
}
