//! The commands that a page may call, with their arguments, results and errors.

#[macro_use]
#[path = "commands/all_commands.rs"]
mod all_commands;

mod arrival;
#[cfg(test)]
mod bindings_tests;
mod caller;
mod checked;
mod chunk;
pub(crate) mod commands;
mod refusals;
mod wire;
