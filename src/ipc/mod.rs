//! What a page may ask, and how it is answered.

#[macro_use]
#[path = "commands/list.rs"]
mod list;

#[cfg(test)]
mod bindings_tests;
mod caller;
mod checked;
pub(crate) mod commands;
mod item_batch;
mod wire;
mod words;
