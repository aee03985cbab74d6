use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::Value;
use tauri::{
    Runtime,
    ipc::{CommandArg, CommandItem, InvokeBody, InvokeError},
};
use tauri_plugin_tasks_engine::delivery::{BATCH_LIMIT, Misfit, Refusal, read_exactly};

use super::refusals;
use crate::{Error, Json};

/// The largest argument other than an input, in bytes of JSON. What each part of it may be is checked where it is used.
const ARGUMENT_LIMIT: usize = 8 * 1024 * 1024;

/// An argument that the command parses itself: any but inputs, a `Json`, which can be anything, and a channel. For a malformed
/// one, Tauri would return a plain string and no [`Error`]. The error names the part that doesn't fit.
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) Result<T, Error>);

impl<'de, T: DeserializeOwned, R: Runtime> CommandArg<'de, R> for Checked<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let missing = || refusals::of_argument(command.key, "it is missing");
        Ok(Self(given(&command).ok_or_else(missing).and_then(|value| read_argument(command.key, value))))
    }
}

/// An argument that may be missing or `null`, parsed as a [`Checked`] one is.
#[derive(Debug)]
pub(crate) struct CheckedOption<T>(pub(crate) Result<Option<T>, Error>);

impl<'de, T: DeserializeOwned, R: Runtime> CommandArg<'de, R> for CheckedOption<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        Ok(Self(given(&command).map_or(Ok(None), |value| read_argument(command.key, value))))
    }
}

/// Returns the argument as the page has sent it.
fn given<'a, R: Runtime>(command: &CommandItem<'a, R>) -> Option<&'a Value> {
    match command.message.payload() {
        InvokeBody::Json(arguments) => arguments.get(command.key),
        InvokeBody::Raw(_) => None,
    }
}

fn read_argument<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    let json = Json::deserialize(value).map_err(|problem| refusals::of_argument(name, problem.to_string()))?;
    let size = json.text().len();
    if size > ARGUMENT_LIMIT {
        let problem = format!("it takes {size} bytes as JSON and the limit is {ARGUMENT_LIMIT}: pass less");
        return Err(refusals::of_argument(name, problem));
    }
    // A struct could be read from a list of its fields.
    if is_list(&json) { Err(refusals::of_argument(name, "it is a list")) } else { read(name, &json) }
}

/// The name of the argument that is a [`CheckedInputs`].
const INPUTS: &str = "inputs";

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
        if is_list(&self.0) { Ok(()) } else { Err(refusals::of_argument(INPUTS, "it is no list")) }
    }

    /// Returns the inputs of a batch of this kind. Fails if there are too many.
    pub(crate) fn read(self, task: &str) -> Result<Vec<Json>, Error> {
        let Inputs { kept, size } = read(INPUTS, &self.0)?;
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

fn is_list(json: &Json) -> bool {
    json.text().starts_with('[')
}

/// Reads the argument of this name. The path in an error begins with it.
fn read<T: DeserializeOwned>(name: &str, json: &Json) -> Result<T, Error> {
    read_exactly(json).map_err(|Misfit { path, problem }| {
        let separator = if path.starts_with('[') { "" } else { "." };
        let path = if path == "." { name.to_owned() } else { format!("{name}{separator}{path}") };
        refusals::of_argument(&path, problem)
    })
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Checked<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for CheckedOption<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        Option::<T>::definition(types)
    }
}

#[cfg(test)]
impl specta::Type for CheckedInputs {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        Vec::<Json>::definition(types)
    }
}
