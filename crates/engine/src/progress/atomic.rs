//! What `conflation` is made of. In the loom tests these are loom's.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
