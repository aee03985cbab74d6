use tauri_plugin_tasks_engine::delivery::Refusal;

use crate::{Error, ipc::refusals::TOO_LONG};

/// The longest name of a task or schedule, in bytes. A longer one is not matched against patterns.
pub(super) const NAME_LIMIT: usize = 1024;

pub(super) fn check_name(task: &str) -> Result<(), Error> {
    if task.len() > NAME_LIMIT {
        return Err(Refusal::UnknownTask { task: TOO_LONG.to_owned() }.into());
    }
    Ok(())
}
