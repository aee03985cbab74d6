use std::{error::Error as StdError, fmt};

use serde::Serialize;

/// An error that needs no type of its own: what went wrong, in words.
// Kept short: the text above ends up in the TypeScript file of every app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong, as the error itself says it.
    pub message: String,
    /// What led to it, outermost first: the error's sources.
    pub causes: Vec<String>,
}

impl Failure {
    /// Returns a failure with this message and no causes.
    ///
    /// Most failures are made by `?`, which converts any [`std::error::Error`]. For that to work, `Failure` does not
    /// implement the trait itself, just like `anyhow::Error`.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn count_lines(_ctx: TaskContext, path: String) -> Result<u32, Failure> {
    ///     let text = std::fs::read_to_string(path)?;
    ///     u32::try_from(text.lines().count()).map_err(|_| Failure::new("the file has too many lines to count"))
    /// }
    /// ```
    ///
    /// If callers have to tell errors apart, return an enum of your own that implements [`Serialize`].
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect();
        Self { message: error.to_string(), causes }
    }
}

#[cfg(test)]
mod tests {
    use crate::Failure;

    #[derive(Debug, thiserror::Error)]
    #[error("could not save the picture")]
    struct Save(#[source] std::io::Error);

    #[test]
    fn the_question_mark_keeps_the_message_and_the_causes() {
        fn save() -> Result<(), Failure> {
            Err(Save(std::io::Error::other("disk full")))?
        }
        let failure = save().unwrap_err();
        assert_eq!(failure.message, "could not save the picture");
        assert_eq!(failure.causes, ["disk full"]);
        assert_eq!(failure.to_string(), "could not save the picture: disk full");
    }
}
