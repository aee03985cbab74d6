use std::any::{TypeId, type_name};

/// The Rust types of a kind's handler, with which tauri-plugin-tasks-specta compares those that it writes.
#[derive(Debug, Clone, Copy)]
pub struct HandlerTypes([HandlerType; 5]);

#[derive(Debug, Clone, Copy)]
struct HandlerType {
    /// What it is the type of, as the client calls it.
    part: &'static str,
    id: TypeId,
    name: &'static str,
}

impl HandlerTypes {
    /// Returns these types.
    pub fn of<Input: 'static, Detail: 'static, Item: 'static, Output: 'static, Error: 'static>() -> Self {
        Self([
            HandlerType::of::<Input>("input"),
            HandlerType::of::<Output>("output"),
            HandlerType::of::<Error>("error"),
            HandlerType::of::<Detail>("detail"),
            HandlerType::of::<Item>("item"),
        ])
    }

    /// Returns the first part whose types differ, and the names of both.
    pub fn differs_from(&self, other: &Self) -> Option<(&'static str, &'static str, &'static str)> {
        let (this, other) = self.0.iter().zip(&other.0).find(|(this, other)| this.id != other.id)?;
        Some((this.part, this.name, other.name))
    }
}

impl HandlerType {
    fn of<T: 'static>(part: &'static str) -> Self {
        Self { part, id: TypeId::of::<T>(), name: type_name::<T>() }
    }
}
