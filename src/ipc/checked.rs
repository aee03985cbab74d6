use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use tauri_plugin_tasks_engine::delivery::read_exactly;

use super::refusals;
use crate::{Error, Json};

/// An argument that the command parses itself. For a malformed one, Tauri would return a plain string and no [`Error`].
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) Result<T, Error>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Ok(Self(read_exactly(&json).map_err(|misfit| refusals::of_arguments(misfit.into()))))
    }
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Checked<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}
