use serde::{Deserialize, Serialize};

/// The item type of tasks that emit no items. It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Never {}

/// The item type of tasks that emit bytes, with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes). It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Bytes {}

#[cfg(feature = "specta")]
impl specta::Type for Bytes {
    fn definition(_: &mut specta::Types) -> specta::datatype::DataType {
        specta::datatype::DataType::Reference(specta_typescript::define("Uint8Array"))
    }
}
