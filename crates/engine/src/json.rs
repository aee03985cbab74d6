use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// JSON whose type depends on the kind of task: an input, a progress detail, an output or an error.
///
/// Cloning is cheap. In TypeScript its type is `unknown`; the generated task map gives it the real one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Serializes `value` as JSON. Fails when its `Serialize` does, or when a map has keys that are not strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let raw = serde_json::value::to_raw_value(value)?;
        // Many tasks take or return `null`, so they all share one allocation.
        Ok(if raw.get() == RawValue::NULL.get() { Self::null() } else { Self(raw.into()) })
    }

    /// Returns `null`.
    pub(crate) fn null() -> Self {
        static NULL: LazyLock<Json> = LazyLock::new(|| Json(RawValue::NULL.to_owned().into()));
        NULL.clone()
    }

    /// Deserializes the JSON as a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// Like [`read`](Self::read), but the error says which part of the JSON doesn't fit.
    pub(crate) fn read_exactly<T: DeserializeOwned>(&self) -> Result<T, Misfit> {
        let mut reader = serde_json::Deserializer::from_str(self.text());
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let problem = error.inner().to_string();
            // The line and column refer to a text that the caller never saw.
            let end = problem.rfind(" at line ").unwrap_or(problem.len());
            Misfit { path: error.path().to_string(), problem: problem[..end].to_owned() }
        })
    }

    /// Returns the JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Returns the length of the text in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().len()
    }
}

/// Why JSON doesn't fit a type.
pub struct Misfit {
    /// The path of the part that doesn't fit; `.` for the whole JSON.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

// Written by hand, so that the recursive JSON type of specta never reaches the bindings.
#[cfg(feature = "__specta")]
impl specta::Type for Json {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        <specta_typescript::Unknown as specta::Type>::definition(types)
    }
}
