//! The shares that the calls of a page have in tasks.

use std::collections::HashMap;

use serde_json::Value;

use crate::TaskId;

/// The ids of the calls that have a share, by the tasks they have it in, oldest first.
#[derive(Default)]
pub(super) struct Shares(HashMap<TaskId, Vec<String>>);

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
    /// Adds the share of a call. A call that is repeated has one share.
    pub(super) fn add(&mut self, task: TaskId, call: String) {
        let calls = self.0.entry(task).or_default();
        if !calls.contains(&call) {
            calls.push(call);
        }
    }

    /// Returns the id of the newest call that has a share in the task.
    pub(super) fn newest(&self, task: TaskId) -> Option<String> {
        self.0.get(&task)?.last().cloned()
    }

    /// Removes the share of a call, which was given back.
    pub(super) fn remove(&mut self, call: &str) {
        for calls in self.0.values_mut() {
            calls.retain(|known| known != call);
        }
    }
}
