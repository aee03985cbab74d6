//! Decides what a page may do, from the scope entries of its permissions, and tracks which pages exist.

pub(crate) mod document;
pub(crate) mod idle_entries;
pub(crate) mod origin;
pub(crate) mod origins;
pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod scope;
pub(crate) mod scope_entry;
pub(crate) mod view;
