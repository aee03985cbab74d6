//! The life of the app: what starts with it, what happens as webviews come and go, and how it exits.

pub(crate) mod csp;
pub(crate) mod exit;
pub(crate) mod groups;
pub(crate) mod handlers_runtime;
pub(crate) mod held;
pub(crate) mod hooks;
mod lifecycle;
pub(crate) mod page_process;
pub(crate) mod schedules;
pub(crate) mod services;
pub(crate) mod windows;
