//! Commands for schedules. The app owns the schedules and their runs.

use tauri::command;

use tauri_plugin_tasks_engine::delivery::task_of_schedule;

use super::name_limit::NAME_LIMIT;
use crate::{
    Error, ErrorKind, ScheduleSnapshot, TaskSnapshot,
    ipc::{
        caller::Caller,
        checked::Checked,
        refusals::{self, TOO_LONG},
    },
};

/// Returns the schedules, sorted by name. Leaves out a schedule if the page can't see all tasks of the kind that it
/// runs.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn schedules(caller: Caller) -> Result<Vec<ScheduleSnapshot>, Error> {
    let mut schedules = caller.tasks.schedules();
    schedules.retain(|schedule| caller.sees_schedule_of(&schedule.task));
    Ok(schedules)
}

/// Starts a run of a schedule now, under the `id` that the page has generated. If an earlier run has not ended and the
/// schedule does not overlap its runs, returns the earlier run instead. The page has a share in the run: it may be told of
/// it.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn trigger(caller: Caller, name: Checked<String>, id: Checked<String>) -> Result<TaskSnapshot, Error> {
    let (name, id) = (name.0?, id.0?);
    let hidden = |name: &str| {
        let entry = r#"{ "identifier": "tasks:allow-trigger", "allow": [{ "task": "…" }] }"#;
        refusals::schedule_not_visible(name, entry)
    };
    if name.len() > NAME_LIMIT {
        return Err(hidden(TOO_LONG));
    }
    let may_start = |task: &str| caller.check_start(task).is_ok();
    match caller.trigger(&name, id.parse()?, &may_start) {
        Err(Error { kind: ErrorKind::UnknownSchedule, .. }) => Err(hidden(&name)),
        run => run.map_err(refusals::of_start),
    }
}

/// Pauses a schedule: only a trigger starts runs until it is resumed.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn pause_schedule(caller: Caller, name: Checked<String>) -> Result<(), Error> {
    caller.tasks.pause_schedule(&controlled(&caller, name.0?, "tasks:allow-pause-schedule")?)
}

/// Resumes a schedule. Runs that were due during the pause are not made up for.
#[command]
#[cfg_attr(test, specta::specta)]
pub(crate) async fn resume_schedule(caller: Caller, name: Checked<String>) -> Result<(), Error> {
    caller.tasks.resume_schedule(&controlled(&caller, name.0?, "tasks:allow-resume-schedule")?)
}

/// Returns `name` if the caller sees a schedule of this name.
fn controlled(caller: &Caller, name: String, permission: &str) -> Result<String, Error> {
    let task =
        Some(&name).filter(|name| name.len() <= NAME_LIMIT).and_then(|name| task_of_schedule(&caller.tasks, name));
    if task.is_some_and(|task| caller.sees_schedule_of(&task)) {
        return Ok(name);
    }
    let entry = format!(r#"{{ "identifier": "{permission}", "allow": [{{ "task": "…", "owner": "any" }}] }}"#);
    Err(refusals::schedule_not_visible(if name.len() > NAME_LIMIT { TOO_LONG } else { &name }, &entry))
}
