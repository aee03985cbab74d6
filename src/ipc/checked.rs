use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use tauri_plugin_tasks_engine::delivery::{Misfit, read_exactly};

use super::refusals;
use crate::{Error, Json, TaskFilter};

/// The largest argument other than an input, in bytes of JSON. What each part of it may be is checked where it is used.
const ARGUMENT_LIMIT: usize = 8 * 1024 * 1024;

/// An argument that the command parses itself: any but a list, a `Json`, which can be anything, and a channel. For a malformed
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

/// An argument that is a list, parsed as a [`Checked`] one is.
#[derive(Debug)]
pub(crate) struct CheckedList<T>(pub(crate) Result<Vec<T>, Error>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for CheckedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        // serde would show the value, which may be an input that is secret.
        Ok(Self(if is_list(&json) { read(&json) } else { Err(refusals::of_argument(".", "it is no list")) }))
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
impl<T: specta::Type> specta::Type for CheckedList<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        Vec::<T>::definition(types)
    }
}
