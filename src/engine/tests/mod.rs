//! The engine as its users see it, with registered kinds, on tokio alone and in paused time.

mod batch;
mod cancel;
mod exit;
pub(crate) mod items;
mod keys;
mod limits;
mod model;
mod observe;
mod owners;
mod restart;
mod retry;
mod schedule;
mod time;

use std::{collections::HashMap, sync::Arc};

use tokio::{runtime::Handle, time::Instant};

use super::{Kind, Settings, TaskManager};

/// A manager of these kinds on the runtime of the test, whose wall clock begins at 0 and goes with tokio's.
pub(crate) fn manager(kinds: impl IntoIterator<Item = Kind>, settings: Settings) -> TaskManager {
    let kinds: HashMap<_, _> = kinds.into_iter().map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
    let begin = Instant::now();
    let clock = move || u64::try_from(begin.elapsed().as_millis()).unwrap();
    TaskManager::with_kinds(Handle::current(), kinds, settings, clock)
}
