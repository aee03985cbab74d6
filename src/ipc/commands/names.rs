use tauri_plugin_tasks_engine::delivery::Refusal;

use crate::Error;

/// No task or schedule has a longer name, in bytes; patterns need not be tried on one.
pub(super) const NAME_LIMIT: usize = 1024;

/// What a name over the limit is shown as.
pub(super) const TOO_LONG: &str = "…";

pub(super) fn check_name(task: &str) -> Result<(), Error> {
    if task.len() > NAME_LIMIT {
        return Err(Refusal::UnknownTask { task: TOO_LONG.to_owned() }.into());
    }
    Ok(())
}
