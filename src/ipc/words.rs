//! The messages of refusals. Each says which entry to add to which permission, and where.

use tauri_plugin_tasks_engine::delivery::{Refusal, error, refusal};

use crate::{Error, ErrorKind, access::scope::StartRefusal};

/// The error when window `label` may not start `task`.
pub(super) fn start_refused(why: StartRefusal, task: &str, label: &str) -> Error {
    let message = match why {
        StartRefusal::Denied => format!(
            "a scope entry under \"deny\" keeps window \"{label}\" from starting task \"{task}\": look for it in the capabilities \
             of this window (src-tauri/capabilities/*.json)"
        ),
        StartRefusal::NotAllowed => format!(
            "window \"{label}\" may not start task \"{task}\": add {{ \"identifier\": \"tasks:allow-start\", \"allow\": \
             [{{ \"task\": \"{task}\" }}] }} to the permissions of a capability of this window \
             (src-tauri/capabilities/*.json)"
        ),
    };
    error(ErrorKind::NotAllowed, message)
}

/// The error when window `label` may not change a limit on `tasks`, which is a name or a pattern.
pub(super) fn limit_refused(tasks: &str, label: &str) -> Error {
    error(
        ErrorKind::NotAllowed,
        format!(
            "window \"{label}\" may not change this limit, which holds for everybody's tasks: add {{ \"identifier\": \
             \"tasks:allow-set-limit\", \"allow\": [{{ \"task\": \"{tasks}\", \"owner\": \"any\" }}] }} to the permissions of a \
             capability of this window (src-tauri/capabilities/*.json), and no \"deny\" that is about them"
        ),
    )
}

/// The error when no task with this id is visible. It does not reveal whether another owner has such a task.
pub(super) fn not_visible(id: &str) -> Error {
    error(
        ErrorKind::NotFound,
        format!(
            "there is no task {id} here: it was removed or never started, or it belongs to another window or to the app, and this \
             window's capability has no scope entry with \"owner\": \"any\" for it (tasks:observe-all and tasks:control-all have \
             one for every task; to try one again, also give tasks:allow-start one)"
        ),
    )
}

/// The error when no schedule of this name is visible. It does not reveal whether there is one. `entry` is the scope
/// entry that the command needs.
pub(super) fn schedule_not_visible(name: &str, entry: &str) -> Error {
    error(
        ErrorKind::UnknownSchedule,
        format!(
            "there is no schedule named \"{name}\" here: the app has none of this name, or this window's capability has no scope \
             entry for the task that it runs: add {entry} to the permissions of a capability of this window \
             (src-tauri/capabilities/*.json), and no \"deny\" that is about that task"
        ),
    )
}

/// Words the error of a start for a page: adds how to join or replace a task that the page may not see.
pub(super) fn of_start(refused: Error) -> Error {
    match refusal(&refused) {
        Some(Refusal::KeyTaken { task, key, rival: None }) => error(
            ErrorKind::KeyTaken,
            format!(
                "a live task \"{task}\" already has the key \"{key}\", and it is not this window's own: wait for its end with \
                 onConflict \"append\", or, to join or replace it, add {{ \"identifier\": \"tasks:allow-start\", \"allow\": \
                 [{{ \"task\": \"{task}\", \"owner\": \"any\" }}] }} to the permissions of a capability of this window \
                 (src-tauri/capabilities/*.json)"
            ),
        ),
        _ => refused,
    }
}

/// Rewrites the error of a call whose arguments don't fit: adds where their types are.
pub(super) fn of_arguments(refused: Error) -> Error {
    match refusal(&refused) {
        Some(Refusal::InvalidOptions { .. }) => error(
            ErrorKind::InvalidOptions,
            format!("{}; look at the types of tauri-plugin-tasks-api", refused.message),
        ),
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_entry_to_add() {
        let error = start_refused(StartRefusal::NotAllowed, "export", "main");
        assert!(
            error.message.contains(r#"{ "identifier": "tasks:allow-start", "allow": [{ "task": "export" }] }"#),
            "{error}"
        );
    }

    #[test]
    fn the_refusal_of_a_denied_start_says_where_to_look_for_the_denial() {
        let error = start_refused(StartRefusal::Denied, "secret", "main");
        assert!(error.message.contains("deny") && error.message.contains("capabilities"), "{error}");
    }
}
