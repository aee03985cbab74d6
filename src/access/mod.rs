//! Decides what a page may do: the scope entries of its permissions, and which pages exist.

pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod scope;
pub(crate) mod scope_entry;
pub(crate) mod view;
