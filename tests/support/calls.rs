//! A good call of each command, with all of its arguments.

use serde_json::{Value, json};

use super::kinds::CHANNEL;

// The list of all commands, which defines a macro.
include!("../../src/ipc/commands/all_commands.rs");

/// The task that a call is about.
pub const ID: &str = "01890000-0000-7000-8000-000000000001";
/// The task that a call starts.
pub const NEW: &str = "01890000-0000-7000-8000-000000000002";

/// What a call needs to be a good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A task that runs.
    Running,
    /// A task that is held in its queue.
    Held,
    /// A task that was cancelled.
    Cancelled,
    /// A task that has emitted three items.
    Items,
}

use Needs::{Cancelled, Held, Items, Running};

/// Returns the calls. Those about a task are about [`ID`] and need it to stand so. The page has a session `s`, and there is a
/// schedule `nightly`.
pub fn calls() -> Vec<(&'static str, Needs, Value)> {
    let visible = json!({ "hidden": false, "change": 0 });
    let tags = json!(["t"]);
    let filter = json!({ "task": ["hang"], "status": ["running"], "tag": tags, "key": ["k"], "parent": [ID] });
    let task = json!({ "type": "task", "data": { "id": ID } });
    let list = json!({ "type": "list", "data": { "watch": 1, "filter": filter } });
    let options = json!({
        "priority": 1, "held": true, "key": "k", "onConflict": "append", "label": "l", "tags": tags, "delayMs": 1,
        "timeoutMs": 60_000, "deadlineMs": 60_000,
    });
    let of_batch = json!({ "concurrency": 1, "priority": 1, "label": "l", "tags": tags });
    vec![
        ("open", Running, json!({ "session": "other", "protocol": 5, "channel": CHANNEL, "visibility": visible })),
        ("ack", Running, json!({ "session": "s", "message": 0, "visibility": visible })),
        ("start", Running, json!({ "session": "s", "id": NEW, "task": "echo", "input": "x", "options": options })),
        ("batch", Running, json!({ "session": "s", "id": NEW, "task": "echo", "inputs": ["x"], "options": of_batch })),
        ("rerun", Cancelled, json!({ "session": "s", "id": ID, "newId": NEW })),
        ("leave", Running, json!({ "id": ID })),
        ("set_priority", Held, json!({ "id": ID, "priority": 1 })),
        ("pause", Held, json!({ "id": ID })),
        ("resume", Held, json!({ "id": ID })),
        ("set_limit", Running, json!({ "of": { "type": "task", "name": "one" }, "limit": 2 })),
        ("counts", Running, json!({})),
        ("get", Running, json!({ "id": ID })),
        ("list", Running, json!({ "filter": filter, "limit": 1, "after": 0 })),
        ("watch", Running, json!({ "session": "s", "target": task, "everyMs": 0 })),
        ("watch", Running, json!({ "session": "s", "target": list, "everyMs": 0 })),
        ("unwatch", Running, json!({ "session": "s", "target": task })),
        ("unwatch", Running, json!({ "session": "s", "target": list })),
        ("cancel", Running, json!({ "id": ID, "reason": "enough" })),
        ("cancel_all", Running, json!({ "filter": filter, "reason": "enough" })),
        ("outcome", Cancelled, json!({ "id": ID })),
        ("remove", Cancelled, json!({ "id": ID })),
        ("read", Items, json!({ "session": "s", "id": ID, "reader": "r", "chunk": 1, "from": 0, "waitMs": 0 })),
        ("cancel_read", Items, json!({ "session": "s", "id": ID, "reader": "r", "position": 0 })),
        ("schedules", Running, json!({})),
        ("trigger", Running, json!({ "name": "nightly", "id": NEW })),
        ("pause_schedule", Running, json!({ "name": "nightly" })),
        ("resume_schedule", Running, json!({ "name": "nightly" })),
    ]
}

/// Returns the names of all commands, sorted.
pub fn all_commands() -> Vec<&'static str> {
    macro_rules! names {
        ($($command:ident),*) => { vec![$(stringify!($command)),*] };
    }
    let mut names = all_commands!(names);
    names.sort_unstable();
    names
}
