use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use tauri_plugin_tasks_engine::delivery::read_exactly;

use super::refusals;
use crate::{Error, Json};

/// An argument that the command parses itself: any but a list, a `Json`, which can be anything, and a channel. For a malformed
/// one, Tauri would return a plain string and no [`Error`].
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) Result<T, Error>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
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
impl<T: specta::Type> specta::Type for CheckedList<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        Vec::<T>::definition(types)
    }
}
