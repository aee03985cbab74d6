//! The shares that the calls of a page have in tasks. Documents of different origins are different owners, even in one webview.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tauri::Url;

use crate::TaskId;

#[derive(Default)]
pub(super) struct Shares {
    /// The ids of the calls that have a share, by the origins of their documents and the tasks they have it in, oldest first.
    calls: HashMap<(String, TaskId), Vec<String>>,
    /// The calls whose shares were given back. They get no other.
    left: HashSet<String>,
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
    /// Adds the share of a call of the document with this URL. A call that is repeated has one share.
    pub(super) fn add(&mut self, document: &Url, task: TaskId, call: String) {
        let calls = self.calls.entry((origin(document), task)).or_default();
        if !calls.contains(&call) && !self.left.contains(&call) {
            calls.push(call);
        }
    }

    /// Returns the id of the newest call of the document's origin that has a share in the task.
    pub(super) fn newest(&self, document: &Url, task: TaskId) -> Option<String> {
        self.calls.get(&(origin(document), task))?.last().cloned()
    }

    /// Removes the share of a call, which was given back.
    pub(super) fn remove(&mut self, call: &str) {
        for calls in self.calls.values_mut() {
            calls.retain(|known| known != call);
        }
        self.left.insert(call.to_owned());
    }
}

fn origin(document: &Url) -> String {
    document.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_one_share_of_its_origin_until_it_is_given_back() {
        let (own, other) = (Url::parse("https://a.example/x").unwrap(), Url::parse("https://b.example/").unwrap());
        let task = TaskId::new();
        let mut shares = Shares::default();
        for call in ["one", "two", "two"] {
            shares.add(&own, task, call.to_owned());
        }
        assert_eq!(shares.newest(&other, task), None, "it is another owner");
        for newest in ["two", "one"] {
            let page = own.join("another").unwrap();
            assert_eq!(shares.newest(&page, task).as_deref(), Some(newest));
            shares.remove(newest);
            shares.add(&own, task, newest.to_owned());
        }
        assert_eq!(shares.newest(&own, task), None, "a repeat gets no other share");
    }
}
