//! Checks the groups that the app has given a limit.

use std::collections::HashSet;

use tauri_plugin_tasks_engine::delivery::engine;

use crate::TaskManager;

/// Fails if a group has no name, no kinds or two limits. The error names it and says what to do.
pub(crate) fn check(groups: &[(String, usize)], tasks: &TaskManager) -> Result<(), String> {
    let mut seen = HashSet::new();
    for (group, _) in groups {
        if group.is_empty() {
            return Err(
                "a group has an empty name: Builder::group takes the name that Task::group gives its kinds".into()
            );
        }
        if !seen.insert(group) {
            return Err(format!("the group \"{group}\" gets two limits: call Builder::group once for it"));
        }
        if engine(tasks).tasks_in(group).is_empty() {
            return Err(format!(
                "no kind is in the group \"{group}\", so its limit has no effect: put kinds into it with Task::group, or \
                 leave out Builder::group"
            ));
        }
    }
    Ok(())
}
