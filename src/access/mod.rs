//! Who may do what: the scope entries of permissions, and which pages there are.

pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod scope;
pub(crate) mod scope_entry;
pub(crate) mod view;
