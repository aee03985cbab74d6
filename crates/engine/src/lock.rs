//! The order in which locks are taken, and the locks that enforce it.
//!
//! A thread that holds a lock may take only locks of a later rank, so no two threads can wait for each other. A debug
//! build panics when a thread breaks the order. A release build checks nothing.
//!
//! | rank | what it guards | what runs under it |
//! | --- | --- | --- |
//! | before [`FIRST`] | a delivery layer's own, in a table of its own | reads of tasks |
//! | [`SCHEDULES`] | the schedules and their runs | reads of tasks and ids |
//! | [`REGISTRY`] | all tasks, their ids and keys, and the gate | the acceptance of a start |
//! | [`TASK`] | the life of one task, and its watchers | one step of a life |
//! | [`QUEUE`] | which tasks may run | a change of place |
//! | [`ITEMS`] | the items of one task | the buffer |
//! | [`PROGRESS`] | the progress of one task | a read of the progress |
//! | [`FEED`] | the watchers of all tasks | marks |
//! | [`CHANGES`] | the tasks that one watcher has to look at | a mark |
//! | [`ATTEMPT`] | which work of one attempt still runs | a read |
//!
//! From [`REGISTRY`] on, no code of the app runs under a lock and no waker is called. Both happen after the lock is
//! released: see [`effects`](crate::record::effects).

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use parking_lot::{Mutex, MutexGuard};

/// A place in the order: the number of ranks before it.
pub type Rank = u8;

#[allow(missing_docs)] // The table says what each is for.
mod rank {
    use super::Rank;

    /// The first rank of the engine. Those before it are free for a delivery layer.
    pub const FIRST: Rank = 16;
    pub const SCHEDULES: Rank = FIRST;
    pub const REGISTRY: Rank = FIRST + 1;
    pub const TASK: Rank = FIRST + 2;
    pub const QUEUE: Rank = FIRST + 3;
    pub const ITEMS: Rank = FIRST + 4;
    pub const PROGRESS: Rank = FIRST + 5;
    pub const FEED: Rank = FIRST + 6;
    pub const CHANGES: Rank = FIRST + 7;
    pub const ATTEMPT: Rank = FIRST + 8;
}

pub use rank::*;

/// A mutex with a place in the order.
#[derive(Default)]
pub struct Lock<T, const RANK: Rank> {
    mutex: Mutex<T>,
}

/// Holds a [`Lock`] until it is dropped.
#[must_use]
pub struct Guard<'a, T> {
    value: MutexGuard<'a, T>,
    #[cfg(debug_assertions)]
    _held: held::Held,
}

impl<T, const RANK: Rank> Lock<T, RANK> {
    /// Makes a lock around `value`.
    pub const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value) }
    }

    /// Waits until no other thread holds the lock, and takes it.
    ///
    /// # Panics
    ///
    /// In a debug build, if this thread holds a lock of the same or a later rank.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        Guard {
            #[cfg(debug_assertions)]
            _held: held::Held::new(RANK),
            value: self.mutex.lock(),
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug, const RANK: Rank> fmt::Debug for Lock<T, RANK> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mutex.fmt(f)
    }
}

impl<T> fmt::Debug for Guard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

#[cfg(debug_assertions)]
mod held {
    use std::cell::RefCell;

    use super::Rank;

    thread_local! {
        static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
    }

    /// The rank of a lock that this thread holds or is about to take.
    pub(super) struct Held(Rank);

    impl Held {
        pub(super) fn new(rank: Rank) -> Self {
            // A destructor of the thread may lock when the list is gone. Then nothing is checked.
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                let latest = held.iter().max();
                assert!(
                    latest.is_none_or(|latest| *latest < rank),
                    "a lock of rank {rank} is taken under one of rank {latest:?}: see the order in lock.rs"
                );
                held.push(rank);
            });
            Self(rank)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                if let Some(place) = held.iter().rposition(|rank| *rank == self.0) {
                    held.remove(place);
                }
            });
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Whether the second lock may be taken under the first.
    fn may_follow<const FIRST: Rank, const SECOND: Rank>() -> bool {
        let (outer, inner) = (Lock::<(), FIRST>::default(), Lock::<(), SECOND>::default());
        let _held = outer.lock();
        catch_unwind(AssertUnwindSafe(|| drop(inner.lock()))).is_ok()
    }

    #[test]
    fn a_lock_is_taken_only_under_locks_of_earlier_ranks() {
        assert!(may_follow::<REGISTRY, TASK>());
        assert!(!may_follow::<TASK, REGISTRY>());
        assert!(!may_follow::<TASK, TASK>(), "two tasks' locks could be taken in either order");
    }

    #[test]
    fn locks_may_be_released_in_any_order() {
        let (registry, task, queue) =
            (Lock::<(), REGISTRY>::default(), Lock::<(), TASK>::default(), Lock::<(), QUEUE>::default());
        let first = registry.lock();
        let second = task.lock();
        drop(first);
        let third = queue.lock();
        drop(second);
        drop(third);
        drop(registry.lock());
    }

    #[test]
    fn a_panic_releases_the_lock_and_its_rank() {
        let task = Lock::<(), TASK>::default();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = task.lock();
            panic!("under the lock");
        }));
        assert!(panicked.is_err());
        drop(Lock::<(), REGISTRY>::default().lock());
    }
}
