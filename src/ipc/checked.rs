use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use tauri_plugin_tasks_engine::delivery::{BATCH_LIMIT, Misfit, Refusal, read_exactly};

use super::refusals;
use crate::{Error, Json, TaskFilter};

/// The largest argument other than an input, in bytes of JSON. What each part of it may be is checked where it is used.
const ARGUMENT_LIMIT: usize = 8 * 1024 * 1024;

/// An argument that the command parses itself: any but inputs, a `Json`, which can be anything, and a channel. For a malformed
/// one, Tauri would return a plain string and no [`Error`].
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) Result<T, Error>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let size = json.text().len();
        if size > ARGUMENT_LIMIT {
            let problem = format!("it takes {size} bytes as JSON and the limit is {ARGUMENT_LIMIT}: pass less");
            return Ok(Self(Err(refusals::of_argument(".", problem))));
        }
        // A struct could be read from a list of its fields.
        Ok(Self(if is_list(&json) { Err(refusals::of_argument(".", "it is a list")) } else { read(&json) }))
    }
}

/// The inputs of a batch, parsed as a [`Checked`] argument is, but only by [`read`](Self::read): once it is known that the page may start
/// the batch.
#[derive(Debug)]
pub(crate) struct CheckedInputs(Json);

impl<'de> Deserialize<'de> for CheckedInputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self)
    }
}

impl CheckedInputs {
    /// Fails unless it is a list. Call it before anything else is done.
    pub(crate) fn check(&self) -> Result<(), Error> {
        // serde would show the value, which may be an input that is secret.
        if is_list(&self.0) { Ok(()) } else { Err(refusals::of_argument(".", "it is no list")) }
    }

    /// Returns the inputs of a batch of this kind. Fails if there are too many.
    pub(crate) fn read(self, task: &str) -> Result<Vec<Json>, Error> {
        let Inputs { kept, size } = read(&self.0)?;
        if size > kept.len() {
            return Err(Refusal::BatchTooLarge { task: task.to_owned(), size, limit: BATCH_LIMIT }.into());
        }
        Ok(kept)
    }
}

/// No more entries of a list than a batch may have.
struct Inputs {
    kept: Vec<Json>,
    /// How many entries there are.
    size: usize,
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InputsVisitor;
        impl<'de> Visitor<'de> for InputsVisitor {
            type Value = Inputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of inputs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inputs, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < BATCH_LIMIT
                    && let Some(input) = seq.next_element()?
                {
                    kept.push(input);
                }
                let mut size = kept.len();
                while size >= BATCH_LIMIT
                    && let Some(IgnoredAny) = seq.next_element()?
                {
                    size += 1;
                }
                Ok(Inputs { kept, size })
            }
        }
        deserializer.deserialize_seq(InputsVisitor)
    }
}

/// A filter, parsed as a [`Checked`] one is. The errors name its parts as those of the argument `filter`.
#[derive(Debug)]
pub(crate) struct CheckedFilter(pub(crate) Result<TaskFilter, Error>);

impl<'de> Deserialize<'de> for CheckedFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Checked(json) = Checked::<Json>::deserialize(deserializer)?;
        let named = |Misfit { path, problem }| {
            let path = if path == "." { "filter".to_owned() } else { format!("filter.{path}") };
            refusals::of_argument(&path, problem)
        };
        Ok(Self(json.and_then(|json| read_exactly(&json).map_err(named))))
    }
}

fn is_list(json: &Json) -> bool {
    json.text().starts_with('[')
}

fn read<T: DeserializeOwned>(json: &Json) -> Result<T, Error> {
    read_exactly(json).map_err(|misfit| refusals::of_arguments(misfit.into()))
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Checked<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}

#[cfg(test)]
impl specta::Type for CheckedFilter {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        TaskFilter::definition(types)
    }
}

#[cfg(test)]
impl specta::Type for CheckedInputs {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        Vec::<Json>::definition(types)
    }
}
