//! The shares that the calls of a page have in tasks.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::TaskId;

/// The ids of the calls of a page that have a share. To the plugin, the documents of each origin are a page of their
/// own.
#[derive(Default)]
pub(super) struct Shares(HashMap<String, SharesOfOrigin>);

#[derive(Default)]
struct SharesOfOrigin {
    /// By the tasks they have it in, oldest first.
    calls: HashMap<TaskId, Vec<String>>,
    /// The calls that have given theirs back. The plugin gives them no other.
    given_back: HashSet<String>,
}

/// Returns the id that the share of this call goes by. `None` for a command that gives no share.
pub(super) fn call_id(command: &str, arguments: &Value) -> Option<String> {
    let id = match command {
        "start" | "batch" | "trigger" => &arguments["id"],
        "rerun" => &arguments["newId"],
        _ => return None,
    };
    id.as_str().map(str::to_owned)
}

impl Shares {
    /// Adds the share of a call of a document of this origin. A call that is repeated has one share, and gets no other
    /// once it has given that back.
    pub(super) fn add(&mut self, origin: &str, task: TaskId, call: String) {
        let shares = self.0.entry(origin.to_owned()).or_default();
        let calls = shares.calls.entry(task).or_default();
        if !calls.contains(&call) && !shares.given_back.contains(&call) {
            calls.push(call);
        }
    }

    /// Returns the id of the newest call of this origin that has a share in the task.
    pub(super) fn newest(&self, origin: &str, task: TaskId) -> Option<String> {
        self.0.get(origin)?.calls.get(&task)?.last().cloned()
    }

    /// Removes the share of a call, which a document of this origin has given back. It can't give back that of another.
    pub(super) fn remove(&mut self, origin: &str, call: &str) {
        let Some(shares) = self.0.get_mut(origin) else { return };
        for calls in shares.calls.values_mut() {
            if let Some(place) = calls.iter().position(|known| known == call) {
                shares.given_back.insert(calls.remove(place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "tauri://localhost";
    const THERE: &str = "https://there.example";

    #[test]
    fn the_shares_of_one_origin_are_not_those_of_another() {
        let (mut shares, task) = (Shares::default(), TaskId::new());
        shares.add(HERE, task, "a".to_owned());
        assert_eq!(shares.newest(THERE, task), None);
        shares.remove(THERE, "a");
        assert_eq!(shares.newest(HERE, task).as_deref(), Some("a"));
        shares.add(THERE, task, "b".to_owned());
        shares.remove(HERE, "a");
        assert_eq!((shares.newest(HERE, task), shares.newest(THERE, task).as_deref()), (None, Some("b")));
    }

    #[test]
    fn a_call_that_has_given_its_share_back_gets_no_other() {
        let (mut shares, task) = (Shares::default(), TaskId::new());
        for call in ["a", "b", "b"] {
            shares.add(HERE, task, call.to_owned());
        }
        shares.remove(HERE, "b");
        shares.add(HERE, task, "b".to_owned());
        assert_eq!(shares.newest(HERE, task).as_deref(), Some("a"));
        shares.remove(HERE, "a");
        assert_eq!(shares.newest(HERE, task), None);
    }
}
