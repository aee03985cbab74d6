//! What a page is told when it may not do or see something: which entry to add to which permission, and where.

use tauri_plugin_tasks_engine::delivery::{Refusal, error, refusal};

use crate::{Error, ErrorKind, access::scope::StartRefusal};

/// Window `label` may not start `task`.
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

/// Window `label` may not change a limit on `tasks`: a name, or a pattern of all that it is about.
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

/// The same words whether the id is unknown or belongs to somebody else.
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

/// The same words whether the name is unknown or its kind is not visible. `entry`: what the command needs.
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

/// What a start was refused with, for a page: it is told what would let it join or replace a task that it may not see.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_entry_to_add() {
        let error = start_refused(StartRefusal::NotAllowed, "export", "main");
        assert!(
            error.message.contains(r#"{ "identifier": "tasks:allow-start", "allow": [{ "task": "export" }] }"#),
            "{error}"
        );
    }

    #[test]
    fn a_start_that_is_denied_is_told_to_look_for_the_denial() {
        let error = start_refused(StartRefusal::Denied, "secret", "main");
        assert!(error.message.contains("deny") && error.message.contains("capabilities"), "{error}");
    }
}
