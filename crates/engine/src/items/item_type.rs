use serde::{Deserialize, Serialize};

/// A type without values: the item type of tasks that emit no items, and the error type of those that never fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

/// The item type of tasks that emit bytes, with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes). It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Bytes {}

// Both are written by hand, so that they need no name in TypeScript: an app may have a type `Never` of its own.
#[cfg(feature = "__specta")]
impl specta::Type for Never {
    fn definition(_: &mut specta::Types) -> specta::datatype::DataType {
        specta::datatype::DataType::Reference(specta_typescript::define("never"))
    }
}

#[cfg(feature = "__specta")]
impl specta::Type for Bytes {
    fn definition(_: &mut specta::Types) -> specta::datatype::DataType {
        specta::datatype::DataType::Reference(specta_typescript::define("Uint8Array"))
    }
}
