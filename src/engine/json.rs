use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A JSON text whose shape depends on the kind of task: its input, detail, output or error.
///
/// Cloning is cheap. In TypeScript it is `unknown`; the generated task map gives it its type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Writes `value` as JSON. Fails when its `Serialize` does, or for a map whose keys are not strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(|raw| Self(raw.into()))
    }

    /// `null`.
    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }

    /// Reads the JSON as a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The length of the text in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().len()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

// By hand, so that the recursive JSON type of specta never reaches the bindings.
#[cfg(any(test, feature = "specta"))]
impl specta::Type for Json {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        <specta_typescript::Unknown as specta::Type>::definition(types)
    }
}
