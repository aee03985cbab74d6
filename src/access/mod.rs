pub(crate) mod pages;
pub(crate) mod scope;
pub(crate) mod scope_entry;
