//! The schedules that an app has from the beginning.

use serde::Serialize;

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
        let input = Json::new(input).map_err(|problem| Error::unserializable("the input", &problem));
        Self { name, task, input, schedule }
    }
}

/// Puts them in; they begin later. The error says which one can't be.
pub(crate) fn put(tasks: &TaskManager, planned: Vec<Planned>) -> Result<(), String> {
    for Planned { name, task, input, schedule } in planned {
        if tasks.task_of_schedule(&name).is_some() {
            return Err(format!("two schedules are named \"{name}\": give each Builder::schedule a name of its own"));
        }
        input
            .and_then(|input| tasks.put_schedule(&name, &task, input, schedule))
            .map_err(|error| format!("schedule \"{name}\" can't be kept: {error}"))?;
    }
    Ok(())
}
