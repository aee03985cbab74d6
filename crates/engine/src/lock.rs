//! The order in which locks are taken, and locks that keep to it.
//!
//! A thread that holds a lock may take only locks of a later rank. So no two threads can wait for each other. Debug builds
//! panic where the order is broken, release builds check nothing.
//!
//! | rank | what it guards | what runs under it |
//! | --- | --- | --- |
//! | [`DELIVERY`] | what a delivery layer keeps of one page | looks at tasks |
//! | [`SCHEDULES`] | the schedules and their runs | looks at tasks and ids |
//! | [`REGISTRY`] | which tasks there are, their ids and keys, and the gate | a start that is taken in |
//! | [`TASK`] | the life of one task, and who watches it | one step of a life |
//! | [`QUEUE`] | who may run | a change of place |
//! | [`ITEMS`] | what one task has emitted | the buffer |
//! | [`PROGRESS`] | one task's bar | a look at the bar |
//! | [`FEED`] | who watches all tasks | marks |
//! | [`CHANGES`] | what one watcher has to look at | a mark |
//! | [`ATTEMPT`] | what of one attempt still runs | a look |
//!
//! Under none of them is anything called that belongs to the app, and nobody is woken: that happens afterwards, see
//! [`effects`](crate::record::effects).

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use parking_lot::{Mutex, MutexGuard};

/// A place in the order: how many ranks come before it.
pub type Rank = u8;

#[allow(missing_docs)] // The table says what each is for.
mod rank {
    use super::Rank;

    pub const DELIVERY: Rank = 0;
    pub const SCHEDULES: Rank = 1;
    pub const REGISTRY: Rank = 2;
    pub const TASK: Rank = 3;
    pub const QUEUE: Rank = 4;
    pub const ITEMS: Rank = 5;
    pub const PROGRESS: Rank = 6;
    pub const FEED: Rank = 7;
    pub const CHANGES: Rank = 8;
    pub const ATTEMPT: Rank = 9;
}

pub use rank::*;

/// A mutex with a place in the order.
#[derive(Default)]
pub struct Lock<T, const RANK: Rank> {
    mutex: Mutex<T>,
}

/// Holds a [`Lock`].
#[must_use]
pub struct Guard<'a, T> {
    value: MutexGuard<'a, T>,
    #[cfg(debug_assertions)]
    _held: held::Held,
}

impl<T, const RANK: Rank> Lock<T, RANK> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value) }
    }

    /// Waits until nobody else holds it.
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

    /// A rank of which this thread holds, or is about to hold, a lock.
    pub(super) struct Held(Rank);

    impl Held {
        pub(super) fn new(rank: Rank) -> Self {
            HELD.with_borrow_mut(|held| {
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
            // When a thread ends, what it held may outlive the list.
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

    /// Whether the second may be taken under the first.
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
    fn locks_may_be_let_go_of_in_any_order() {
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
    fn what_panicked_holds_nothing_any_more() {
        let task = Lock::<(), TASK>::default();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = task.lock();
            panic!("under the lock");
        }));
        assert!(panicked.is_err());
        drop(Lock::<(), REGISTRY>::default().lock());
    }
}
