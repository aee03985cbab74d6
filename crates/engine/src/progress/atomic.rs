//! The atomics of `conflation`. The loom tests use loom's in their place.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
