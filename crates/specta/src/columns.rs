use std::any::{TypeId, type_name};

use specta::{Type, Types, datatype::DataType};
use specta_serde::Phase;

/// The types of one kind, as specta sees them.
#[derive(Debug, Clone)]
pub struct Columns(pub [Column; 5]);

/// One of the types of a kind.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it is the type of, as the client calls it.
    pub name: &'static str,
    /// Whether Rust reads or writes it.
    pub phase: Phase,
    pub data_type: DataType,
    pub rust_name: &'static str,
    pub id: TypeId,
}

impl Columns {
    /// Adds to `types` every named type that it meets.
    pub fn new<Input, Detail, Item, Output, Error>(types: &mut Types) -> Self
    where
        Input: Type + 'static,
        Detail: Type + 'static,
        Item: Type + 'static,
        Output: Type + 'static,
        Error: Type + 'static,
    {
        Self([
            Column::new::<Input>("input", Phase::Deserialize, types),
            Column::new::<Output>("output", Phase::Serialize, types),
            Column::new::<Error>("error", Phase::Serialize, types),
            Column::new::<Detail>("detail", Phase::Serialize, types),
            Column::new::<Item>("item", Phase::Serialize, types),
        ])
    }
}

impl Column {
    fn new<T: Type + 'static>(name: &'static str, phase: Phase, types: &mut Types) -> Self {
        Self { name, phase, data_type: T::definition(types), rust_name: type_name::<T>(), id: TypeId::of::<T>() }
    }

    /// Whether the type has this name itself, and is not a `Box` of one that has.
    pub fn is_called(&self, name: &str) -> bool {
        self.path().rsplit("::").next() == Some(name)
    }

    /// Whether both are the same type, or the same generic type with other parameters.
    pub fn may_be_the_type_of(&self, other: &Self) -> bool {
        self.id == other.id || (self.path() == other.path() && self.is_generic() && other.is_generic())
    }

    /// Returns the path of the type, without its parameters.
    fn path(&self) -> &'static str {
        self.rust_name.split('<').next().unwrap_or_default()
    }

    fn is_generic(&self) -> bool {
        self.rust_name.contains('<')
    }
}
