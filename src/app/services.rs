//! Starts the app's services once the app is ready.

use serde::Serialize;

use tauri_plugin_tasks_engine::delivery::{engine, logged, to_json};

use crate::{
    Error, Json, TaskManager,
    lock::{Lock, SERVICES},
};

/// A service that the app has registered, with its input as JSON.
pub(crate) struct Service {
    task: String,
    input: Result<Json, Error>,
}

impl Service {
    pub(crate) fn new(task: String, input: &impl Serialize) -> Self {
        Self { task, input: to_json(input) }
    }
}

/// The services that have not been started.
pub(crate) struct Services(Lock<Vec<(String, Json)>, SERVICES>);

impl Services {
    /// Checks that each service can be started. The error names the first that can't.
    pub(crate) fn new(services: Vec<Service>, tasks: &TaskManager) -> Result<Self, String> {
        let check = |Service { task, input }| {
            let checked = input.and_then(|input| engine(tasks).check_service(&task, &input).map(|()| input));
            checked.map(|input| (task.clone(), input)).map_err(|error| {
                format!("service \"{task}\" can't be started: {}", engine(tasks).of_input(&task, error))
            })
        };
        Ok(Self(Lock::new(services.into_iter().map(check).collect::<Result<_, _>>()?)))
    }

    /// Starts the services. A second call starts nothing.
    pub(crate) fn start(&self, tasks: &TaskManager) {
        let services = std::mem::take(&mut *self.0.lock());
        for (task, input) in services {
            if let Err(error) = tasks.start(&task, &input) {
                tracing::error!(task = logged(task), "the service did not start: {}", logged(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tauri_plugin_tasks_engine::{
        delivery::{Errors, Kind, Policy, Settings},
        test::manager,
    };

    use super::*;
    use crate::{Failure, Restart, Schedule, TaskContext, app::schedules, app::schedules::Planned};

    #[tokio::test]
    async fn the_error_of_a_service_or_a_schedule_shows_nothing_of_a_secret_input() {
        for secret_input in [true, false] {
            let policy = Policy { secret_input, restart: Some(Restart::always()), ..Policy::default() };
            let kind =
                Kind::new("login", policy, Errors::default(), async |_: TaskContext, _: u32| Ok::<_, Failure>(()));
            let tasks = manager([kind], Settings::default());
            let unwritable = std::collections::BTreeMap::from([(vec!["hunter2"], 1)]);
            let (input, name) = (json!("hunter2"), String::from("login"));
            let schedule = Schedule::every(std::time::Duration::from_secs(60));
            let planned = Planned::new("nightly".into(), name.clone(), &input, schedule);
            let said = [
                Services::new(vec![Service::new(name.clone(), &input)], &tasks).err().unwrap(),
                schedules::put(&tasks, vec![planned]).unwrap_err(),
            ];
            for said in said {
                assert!(said.contains("login"), "{said}");
                assert_eq!(said.contains("hunter2"), !secret_input, "{said}");
                assert_eq!(said.contains("Task::secret_input"), secret_input, "{said}");
            }
            let said = Services::new(vec![Service::new(name, &unwritable)], &tasks).err().unwrap();
            assert_eq!(said.contains("Task::secret_input"), secret_input, "{said}");
        }
    }
}
