pub(crate) mod guard;
pub(crate) mod shut_down;
