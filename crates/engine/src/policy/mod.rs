pub(crate) mod on_exit;
pub(crate) mod on_owner_closed;
pub(crate) mod restart;
pub(crate) mod retry;
pub(crate) mod time_limit;
