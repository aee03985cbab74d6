#[cfg(test)]
mod bindings_tests;
pub(crate) mod caller;
pub(crate) mod checked;
pub(crate) mod commands;
pub(crate) mod item_batch;
