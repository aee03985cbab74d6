pub(crate) mod csp;
pub(crate) mod exit;
pub(crate) mod held;
pub(crate) mod lifecycle;
pub(crate) mod schedules;
pub(crate) mod services;
