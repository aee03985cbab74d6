use serde::{Deserialize, Deserializer};

use crate::{Error, Json};

/// An argument whose errors are ours to word: what Tauri says of one that it can't read is a plain string.
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) Result<T, Error>);

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let mut reader = serde_json::Deserializer::from_str(json.text());
        let read = serde_path_to_error::deserialize(&mut reader);
        Ok(Self(read.map_err(|error| {
            let problem = error.inner().to_string();
            // Line and column are those of a text that the caller never saw.
            let problem = problem.rfind(" at line ").map_or(&*problem, |end| &problem[..end]);
            Error::invalid_options(&error.path().to_string(), problem)
        })))
    }
}

#[cfg(test)]
impl<T: specta::Type> specta::Type for Checked<T> {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        T::definition(types)
    }
}
