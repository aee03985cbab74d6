//! A scope entry as written in a capability file. `build.rs` also compiles this file, to check the JSON schema.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawScopeEntry {
    pub task: String,
    #[serde(default)]
    pub owner: Reach,
}

/// Whose tasks an entry covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    #[default]
    #[serde(rename = "self")]
    Own,
    Any,
}
