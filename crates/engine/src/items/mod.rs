pub(crate) mod buffer;
pub(crate) mod segment;
pub(crate) mod stream;
