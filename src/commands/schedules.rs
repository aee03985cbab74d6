//! What a page may ask of schedules. They are the app's own, and so are their runs.

use tauri::command;

use super::NAME_LIMIT;
use crate::{Error, ScheduleSnapshot, TaskSnapshot, caller::Caller};

/// The schedules whose kinds are visible whoever owns their tasks, by name.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn schedules(caller: Caller) -> Result<Vec<ScheduleSnapshot>, Error> {
    let mut schedules = caller.tasks.schedules();
    schedules.retain(|schedule| caller.sees_schedule_of(&schedule.task));
    Ok(schedules)
}

/// Starts a run of a schedule now, with an `id` that the page has made for it; what comes back may be the run that goes on.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn trigger(caller: Caller, name: String, id: String) -> Result<TaskSnapshot, Error> {
    let may_start = |task: &str| caller.check_start(task).is_ok();
    let hidden = |name: &str| {
        let entry = r#"{ "identifier": "tasks:allow-trigger", "allow": [{ "task": "…" }] }"#;
        Error::schedule_not_visible(name, entry)
    };
    let name = check(&caller, name, may_start, hidden)?;
    let run = caller.tasks.trigger_for(&name, id.parse()?)?;
    // What goes on may be of another kind: the schedule was replaced meanwhile.
    if !may_start(run.record().name()) {
        return Err(hidden(&name));
    }
    Ok(run.record().snapshot())
}

/// Starts no more runs of a schedule until it is resumed.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn pause_schedule(caller: Caller, name: String) -> Result<(), Error> {
    caller.tasks.pause_schedule(&controlled(&caller, name, "tasks:allow-pause-schedule")?)
}

/// Goes on with the runs of a schedule. Those of the pause are not made up for.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn resume_schedule(caller: Caller, name: String) -> Result<(), Error> {
    caller.tasks.resume_schedule(&controlled(&caller, name, "tasks:allow-resume-schedule")?)
}

fn controlled(caller: &Caller, name: String, permission: &str) -> Result<String, Error> {
    check(
        caller,
        name,
        |task| caller.sees_schedule_of(task),
        |name| {
            let entry = format!(r#"{{ "identifier": "{permission}", "allow": [{{ "task": "…", "owner": "any" }}] }}"#);
            Error::schedule_not_visible(name, &entry)
        },
    )
}

/// The name, if there is such a schedule and the kind that it runs is the caller's to deal with.
fn check(
    caller: &Caller,
    name: String,
    may: impl FnOnce(&str) -> bool,
    hidden: impl FnOnce(&str) -> Error,
) -> Result<String, Error> {
    if name.len() > NAME_LIMIT {
        return Err(hidden("…"));
    }
    match caller.tasks.task_of_schedule(&name) {
        Some(task) if may(&task) => Ok(name),
        _ => Err(hidden(&name)),
    }
}
