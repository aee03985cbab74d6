//! Registers the schedules that the app has set on its builder.

use serde::Serialize;

use tauri_plugin_tasks_engine::delivery::{engine, put_schedule, task_of_schedule, to_json};

use crate::{Error, Json, Schedule, TaskManager};

/// The arguments of one call of `Builder::schedule`.
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

/// Adds the schedules. Their runs begin only when the app is ready. The error names the schedule that is invalid.
pub(crate) fn put(tasks: &TaskManager, planned: Vec<Planned>) -> Result<(), String> {
    for Planned { name, task, input, schedule } in planned {
        if task_of_schedule(tasks, &name).is_some() {
            return Err(format!("two schedules are named \"{name}\": give each Builder::schedule a name of its own"));
        }
        input
            .and_then(|input| put_schedule(tasks, &name, &task, input, schedule))
            .map_err(|error| format!("schedule \"{name}\" is invalid: {}", engine(tasks).of_input(&task, error)))?;
    }
    Ok(())
}
