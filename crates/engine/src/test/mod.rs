//! What the engine's tests share with the tests of a delivery layer.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // What fails here fails the test.

pub mod clocks;
#[cfg(any(test, feature = "__test"))]
pub mod items;
#[cfg(any(test, feature = "__test"))]
pub mod log;
pub mod test_clock;

use std::{collections::HashMap, sync::Arc};

use tokio::{runtime::Handle, time::Instant};

use crate::{
    TaskManager,
    clock::Clocks,
    record::Kind,
    run::{engine::Settings, runtimes::Runtimes},
};

/// Makes a manager of these kinds on the test's runtime. Its wall clock starts at 0 and follows tokio's.
pub fn manager(kinds: impl IntoIterator<Item = Kind>, settings: Settings) -> TaskManager {
    let begin = Instant::now();
    let clock = move || u64::try_from(begin.elapsed().as_millis()).unwrap();
    manager_with(kinds, settings, Clocks::of_tokio(clock))
}

/// Makes a manager of these kinds on the test's runtime, which reads `clocks`.
pub fn manager_with(kinds: impl IntoIterator<Item = Kind>, settings: Settings, clocks: Clocks) -> TaskManager {
    let kinds: HashMap<_, _> = kinds.into_iter().map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
    TaskManager::with_kinds(Runtimes::one(Handle::current()), kinds, settings, clocks)
}
