use std::{error::Error as StdError, fmt, iter::successors};

use serde::{Deserialize, Serialize};

use crate::clip::{Limit, clip};

/// The longest message about the end of a task. The error that the handler returned is kept whole.
pub(super) const MESSAGE_LIMIT: Limit = Limit::Bytes(MESSAGE_BYTES);
pub(super) const MESSAGE_BYTES: usize = 1024;
/// The most causes that are taken from an error. An error can be its own source, and then they never end.
pub(super) const CAUSES_LIMIT: usize = 64;

/// An error that needs no type of its own: what went wrong, in words.
// Kept short: the text above ends up in the TypeScript file of every app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Most failures are made by `?`, which converts whatever a `Box<dyn Error + Send + Sync>` can be made of: every
    /// [`std::error::Error`], an `anyhow::Error`, an `eyre::Report`, a boxed error, a `&str` and a `String`. The causes
    /// are kept. For that to work, `Failure` does not implement `Error` itself, just like `anyhow::Error`.
    ///
    /// `?` cuts the message and each cause to 1 KiB, with `…` at the end, and takes no more than 64 causes. This function
    /// keeps its message whole.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn count_lines(_ctx: TaskContext, path: String) -> Result<u32, Failure> {
    ///     let text = std::fs::read_to_string(path)?;
    ///     let lines = u32::try_from(text.lines().count()).map_err(|_| "the file has too many lines to count")?;
    ///     Ok(lines)
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

impl<E> From<E> for Failure
where
    Box<dyn StdError + Send + Sync>: From<E>,
{
    fn from(error: E) -> Self {
        let error = <Box<dyn StdError + Send + Sync>>::from(error);
        let text = |error: &dyn StdError| clip(error.to_string(), MESSAGE_LIMIT).into_owned();
        let causes = successors(error.source(), |&cause| cause.source()).take(CAUSES_LIMIT);
        Self { message: text(&*error), causes: causes.map(text).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, error::Error as StdError, io};

    use crate::Failure;

    #[derive(Debug, thiserror::Error)]
    #[error("could not save the picture")]
    struct Save(#[source] io::Error);

    fn save() -> Result<(), Save> {
        Err(Save(io::Error::other("disk full")))
    }

    /// Turns the error of `work` into a failure as a handler does.
    fn fail<E>(error: E) -> Failure
    where
        Failure: From<E>,
    {
        let handler = || -> Result<(), Failure> { Err(error)? };
        handler().unwrap_err()
    }

    #[test]
    fn the_question_mark_keeps_the_message_and_the_causes() {
        let boxed = || -> Result<(), Box<dyn StdError + Send + Sync>> { Ok(save()?) };
        for failure in [fail(save().unwrap_err()), fail(boxed().unwrap_err())] {
            assert_eq!(failure.message, "could not save the picture");
            assert_eq!(failure.causes, ["disk full"]);
            assert_eq!(failure.to_string(), "could not save the picture: disk full");
        }
    }

    #[test]
    fn the_contexts_of_anyhow_and_eyre_are_causes() {
        let anyhow = anyhow::Error::new(save().unwrap_err());
        let eyre = eyre::Report::new(save().unwrap_err());
        let anyhow = anyhow.context("no picture today").context("the album is not complete");
        let eyre = eyre.wrap_err("no picture today").wrap_err("the album is not complete");
        for failure in [fail(anyhow), fail(eyre)] {
            assert_eq!(failure.message, "the album is not complete");
            assert_eq!(failure.causes, ["no picture today", "could not save the picture", "disk full"]);
        }
        assert_eq!(fail(anyhow::anyhow!("only words")), Failure::new("only words"));
        assert_eq!(fail(eyre::eyre!("only words")), Failure::new("only words"));
    }

    #[test]
    fn words_and_a_failure_itself_are_taken_as_they_are() {
        let given = Failure { message: "outer".into(), causes: vec!["inner".into()] };
        assert_eq!(fail(given.clone()), given);
        let borrowed = String::from("no such host");
        for failure in [fail("no such host"), fail(borrowed.clone()), fail(Cow::Borrowed(&*borrowed))] {
            assert_eq!(failure, Failure::new("no such host"));
        }
    }

    /// An error that is its own source.
    #[derive(Debug)]
    struct Loop;

    impl StdError for Loop {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(self)
        }
    }

    impl std::fmt::Display for Loop {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("round and round")
        }
    }

    #[test]
    fn an_error_that_is_its_own_source_has_64_causes() {
        assert_eq!(fail(Loop).causes, vec!["round and round"; 64]);
        assert_eq!(fail(anyhow::Error::new(Loop).context("outer")).causes.len(), 64);
    }

    #[test]
    fn long_texts_are_clipped_and_words_given_to_new_are_not() {
        let long = "é".repeat(1_000);
        let clipped = "é".repeat(510) + "…";
        let failure = fail(anyhow::anyhow!(long.clone()).context(long.clone()));
        assert_eq!((failure.message, failure.causes), (clipped.clone(), vec![clipped.clone()]));
        assert_eq!(fail(long.as_str()).message, clipped);
        assert_eq!(Failure::new(long.as_str()).message, long);
    }

    #[test]
    fn why_a_call_was_refused_and_how_a_task_ended_are_errors_too() {
        let refused = crate::Error::not_found("x");
        assert_eq!(fail(refused.clone()).message, refused.message);
        let ended = crate::TaskError::<Failure>::Cancelled { reason: crate::CancelReason::User };
        assert_eq!(fail(ended).message, "the task was cancelled: user");
    }
}
