use serde::Deserialize;

/// What `tauri.conf.json` says under `plugins.tasks`: nothing yet, since all settings are those of the
/// [`Builder`](crate::Builder). The app does not start if something is there, so that later settings can have any name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {}
