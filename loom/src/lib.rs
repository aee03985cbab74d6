//! The engine's lock-free part, compiled with loom's atomics: loom runs each test in every order that the
//! memory model allows. There is nothing in here but tests.

#[cfg(test)]
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[cfg(test)]
#[path = "../../crates/engine/src/progress/conflation.rs"]
mod conflation;

#[cfg(test)]
mod tests;
