use serde::Deserialize;

/// The tasks that a limit on running tasks applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(tag = "type", content = "name", rename_all = "camelCase")]
#[non_exhaustive]
pub enum LimitOf {
    /// All tasks of the app together.
    App,
    /// The tasks of one kind.
    Task(String),
    /// The tasks of all kinds in one group.
    Group(String),
}
