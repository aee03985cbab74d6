//! The app's life: what begins with it, what becomes of pages that come and go, and how it ends.

pub(crate) mod csp;
pub(crate) mod exit;
pub(crate) mod held;
mod lifecycle;
pub(crate) mod schedules;
pub(crate) mod services;
