//! A scope entry as it stands in a capability file. Also read by `build.rs`, for its JSON schema.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawScopeEntry {
    pub task: String,
    #[serde(default)]
    pub owner: Reach,
}

/// Whose tasks an entry is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    #[default]
    #[serde(rename = "self")]
    Own,
    Any,
}
