//! Tests of the engine's lock-free part, which is compiled with loom's atomics: loom runs each test in every order that
//! the memory model allows. This crate contains only tests.

#[cfg(test)]
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[cfg(test)]
#[allow(dead_code)] // The tests don't call every method.
#[path = "../../crates/engine/src/progress/conflation.rs"]
mod conflation;

#[cfg(test)]
mod tests;
