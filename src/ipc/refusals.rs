//! Builds the errors for what a page is not allowed to do. Each message says how to allow it.

use tauri_plugin_tasks_engine::delivery::{Refusal, error, refusal};

use crate::{
    Error, ErrorKind, TaskId,
    access::{pages::Stranger, scope::StartRefusal},
    quotas::Quota,
};

/// The longest text in place of an id that an error repeats, in bytes.
const ID_SHOWN: usize = 64;
/// Replaces a longer text in messages.
pub(super) const TOO_LONG: &str = "…";

/// Returns the error for window `label`, which may not start `task`.
pub(super) fn start_refused(why: StartRefusal, task: &str, label: &str) -> Error {
    let message = match why {
        StartRefusal::Denied => format!(
            "a scope entry under \"deny\" keeps window \"{label}\" from starting task \"{task}\": find that entry in the \
             capabilities of this window (src-tauri/capabilities/*.json)"
        ),
        StartRefusal::NotAllowed => format!(
            "window \"{label}\" may not start task \"{task}\": add {{ \"identifier\": \"tasks:allow-start\", \"allow\": \
             [{{ \"task\": \"{task}\" }}] }} to the permissions of a capability of this window \
             (src-tauri/capabilities/*.json), if the app has a task of this name"
        ),
    };
    error(ErrorKind::NotAllowed, message)
}

/// Returns the error for window `label`, which may not change a limit. `tasks` is the name or pattern of the kinds that
/// the limit covers.
pub(super) fn limit_refused(tasks: &str, label: &str) -> Error {
    error(
        ErrorKind::NotAllowed,
        format!(
            "window \"{label}\" may not change this limit, which applies to the tasks of all owners: add {{ \"identifier\": \
             \"tasks:allow-set-limit\", \"allow\": [{{ \"task\": \"{tasks}\", \"owner\": \"any\" }}] }} to the permissions of a \
             capability of this window (src-tauri/capabilities/*.json), and remove any \"deny\" entry that matches these tasks"
        ),
    )
}

/// Returns the error for a call that no page of window `label` may make.
pub(super) fn of_stranger(stranger: Stranger, label: &str) -> Error {
    let message = match stranger {
        Stranger::Elsewhere => format!(
            "this call does not come from the document that webview \"{label}\" shows, but from a frame in it or from a document \
             that has left: call from the page itself, and let frames post messages to it"
        ),
        Stranger::TooManyOrigins => format!(
            "webview \"{label}\" has shown documents of too many other origins whose tasks are still kept: end and remove \
             these tasks, or show this document in another webview"
        ),
    };
    error(ErrorKind::NotAllowed, message)
}

/// Returns the error for a task that the page can't see. It does not reveal whether the task exists.
pub(super) fn not_visible(id: &str) -> Error {
    let id = if id.len() <= ID_SHOWN { id } else { TOO_LONG };
    error(
        ErrorKind::NotFound,
        format!(
            "there is no task {id} that this window may see: it was never started or was removed, or it belongs to another window \
             or to the app and no scope entry with \"owner\": \"any\" in this window's capabilities covers it \
             (tasks:observe-all and tasks:control-all have one for every task; to rerun such a task, also add one to \
             tasks:allow-start)"
        ),
    )
}

/// Returns the error for a call that has given its share back before it is answered: that of a repeated call.
pub(super) fn share_given_back(id: TaskId) -> Error {
    Refusal::IdTaken { id: id.to_string() }.into()
}

/// Returns the error for a schedule that the page may not use. It does not reveal whether the schedule exists. `entry`
/// is the permission, with the scope entry, that the command needs.
pub(super) fn schedule_not_visible(name: &str, entry: &str) -> Error {
    error(
        ErrorKind::UnknownSchedule,
        format!(
            "there is no schedule named \"{name}\" that this window may use: the app has no schedule of this name, or no scope \
             entry in this window's capabilities covers the task that it runs: add {entry} to the permissions of a capability \
             of this window (src-tauri/capabilities/*.json), and remove any \"deny\" entry that matches that task"
        ),
    )
}

/// Rewrites the error of a start for a page. If a task that the page can't see has the key, the message says how to join or
/// replace that task. If a quota is exceeded, it says where the quota is set.
pub(super) fn of_start(refused: Error) -> Error {
    match refusal(&refused) {
        Some(Refusal::KeyTaken { task, key, rival: None }) => error(
            ErrorKind::KeyTaken,
            format!(
                "a live task \"{task}\" already has the key \"{key}\", and this window does not own it: to wait for its end, \
                 start with onConflict \"append\"; to join or replace it, add {{ \"identifier\": \"tasks:allow-start\", \"allow\": \
                 [{{ \"task\": \"{task}\", \"owner\": \"any\" }}] }} to the permissions of a capability of this window \
                 (src-tauri/capabilities/*.json)"
            ),
        ),
        Some(Refusal::QuotaExceeded { quota, limit, what, remedy }) => match Quota::named(quota) {
            Some(named) => {
                let remedy = format!(
                    "{remedy}; each window has this quota, which is set by \"{quota}\" under plugins > tasks > quotas in \
                     tauri.conf.json or, without it, by Quotas::{} on the Builder",
                    named.method()
                );
                Refusal::QuotaExceeded { quota, limit: *limit, what, remedy }.into()
            }
            None => refused,
        },
        _ => refused,
    }
}

/// Refuses the part of the arguments at `path`; `.` is all of an argument.
pub(super) fn of_argument(path: &str, problem: impl Into<String>) -> Error {
    of_arguments(Refusal::InvalidOptions { path: path.to_owned(), problem: problem.into() }.into())
}

/// Rewrites the error of a call whose arguments don't fit: the message also says where to look up their types.
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
