//! The commands that a page may call, with their arguments, results and errors.

#[macro_use]
#[path = "commands/all_commands.rs"]
mod all_commands;

#[cfg(test)]
mod bindings_tests;
mod caller;
mod checked;
pub(crate) mod commands;
mod item_batch;
mod refusals;
mod wire;
