pub(crate) mod registry;
pub(crate) mod retention;
