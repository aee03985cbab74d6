//! The schedules that an app has from the beginning.

use serde::Serialize;

use tauri_plugin_tasks_engine::delivery::{put_schedule, task_of_schedule, to_json};

use crate::{Error, Json, Schedule, TaskManager};

/// What `Builder::schedule` was told.
pub(crate) struct Planned {
    name: String,
    task: String,
    input: Result<Json, Error>,
    schedule: Schedule,
}

impl Planned {
    pub(crate) fn new(name: String, task: String, input: &impl Serialize, schedule: Schedule) -> Self {
        let input = to_json(input);
        Self { name, task, input, schedule }
    }
}

/// Puts them in; they begin later. The error says which one can't be.
pub(crate) fn put(tasks: &TaskManager, planned: Vec<Planned>) -> Result<(), String> {
    for Planned { name, task, input, schedule } in planned {
        if task_of_schedule(tasks, &name).is_some() {
            return Err(format!("two schedules are named \"{name}\": give each Builder::schedule a name of its own"));
        }
        input
            .and_then(|input| put_schedule(tasks, &name, &task, input, schedule))
            .map_err(|error| format!("schedule \"{name}\" can't be kept: {error}"))?;
    }
    Ok(())
}
