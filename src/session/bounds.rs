//! How much a page may hold at once, in all of its sessions together. Nobody can set these limits.

use std::sync::{
    Arc,
    atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Acquire},
    },
};

use tauri_plugin_tasks_engine::delivery::Refusal;

use crate::Error;

/// How many sessions a page may have open. The client needs one, and another one after each that it has lost.
pub(super) const MOST_SESSIONS: usize = 16;
/// How many lists a page may watch.
const LISTS: usize = 256;
/// How many readers a page may have.
const READERS: usize = 64;
/// How many calls of a page may wait, for the end of a task or for items. A reader has four at most.
const WAITS: usize = 1024;

/// Refuses one session more than a page may have.
pub(super) fn too_many_sessions() -> Error {
    exceeds(
        "sessions",
        MOST_SESSIONS,
        "open sessions of one page",
        "go on in one of them, or reload the page to close them",
    )
}

/// Refuses one task more than a session may follow.
pub(super) fn too_many_follows(limit: usize) -> Error {
    exceeds("follows", limit, "followed tasks of one session", "stop following others, or watch a list")
}

fn exceeds(quota: &'static str, limit: usize, what: &'static str, remedy: &str) -> Error {
    Refusal::exceeds_fixed(quota, limit as u64, what, remedy).into()
}

/// What one page holds.
pub(crate) struct Bounds {
    lists: Bound,
    readers: Bound,
    waits: Bound,
}

impl Bounds {
    pub(super) fn new() -> Arc<Self> {
        let (lists, readers, waits) = ("stop another list", "end another reading", "await the answers of others");
        Arc::new(Self {
            lists: Bound::new("lists", LISTS, "watched lists of one page", lists),
            readers: Bound::new("readers", READERS, "readers of one page", readers),
            waits: Bound::new("waits", WAITS, "waiting calls of one page", waits),
        })
    }

    /// Takes a place among the lists that the page watches. Fails if there is none.
    pub(super) fn list(self: &Arc<Self>) -> Result<Place, Error> {
        self.take(|bounds| &bounds.lists)
    }

    /// Takes a place among the readers of the page. Fails if there is none.
    pub(super) fn reader(self: &Arc<Self>) -> Result<Place, Error> {
        self.take(|bounds| &bounds.readers)
    }

    /// Takes a place among the calls of the page that wait. Fails if there is none.
    pub(crate) fn wait(self: &Arc<Self>) -> Result<Place, Error> {
        self.take(|bounds| &bounds.waits)
    }

    fn take(self: &Arc<Self>, bound: Which) -> Result<Place, Error> {
        bound(self).take()?;
        Ok(Place { of: Arc::clone(self), bound })
    }
}

type Which = fn(&Bounds) -> &Bound;

/// A number of places, which are taken and given back.
struct Bound {
    quota: &'static str,
    limit: usize,
    what: &'static str,
    remedy: &'static str,
    taken: AtomicUsize,
}

impl Bound {
    fn new(quota: &'static str, limit: usize, what: &'static str, remedy: &'static str) -> Self {
        Self { quota, limit, what, remedy, taken: AtomicUsize::new(0) }
    }

    /// Takes a place. Fails if there is none.
    fn take(&self) -> Result<(), Error> {
        let more = |taken: usize| (taken < self.limit).then_some(taken + 1);
        match self.taken.fetch_update(AcqRel, Acquire, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(exceeds(self.quota, self.limit, self.what, self.remedy)),
        }
    }

    fn give_back(&self) {
        self.taken.fetch_sub(1, AcqRel);
    }
}

/// A place that is taken until it is dropped. It keeps alive what its page holds, so that the page finds it again without a
/// session or after a reload.
#[must_use]
pub(crate) struct Place {
    of: Arc<Bounds>,
    bound: Which,
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.bound)(&self.of).give_back();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    proptest! {
        #[test]
        fn no_more_places_are_taken_than_there_are(limit in 0..5_usize, steps in prop::collection::vec(any::<bool>(), 0..40)) {
            let bound = Bound::new("things", limit, "things of one page", "drop another");
            let mut places = 0;
            for takes in steps {
                if !takes {
                    if places > 0 {
                        bound.give_back();
                        places -= 1;
                    }
                    continue;
                }
                match bound.take() {
                    Ok(()) => places += 1,
                    Err(error) => {
                        prop_assert_eq!(places, limit);
                        prop_assert_eq!(error.kind, ErrorKind::QuotaExceeded);
                        prop_assert!(error.message.contains("fixed") && error.message.contains("drop another"));
                    }
                }
                prop_assert!(places <= limit);
            }
        }
    }
}
