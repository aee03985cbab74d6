//! The commands that a page may call, with their arguments, results and errors.

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
