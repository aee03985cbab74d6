//! The order in which locks are taken, and the locks that enforce it.
//!
//! A thread that holds a lock may take only locks of a later rank, so no two threads can wait for each other. A debug
//! build panics when a thread breaks the order. A release build checks nothing.
//!
//! | rank | what it guards | what is done under it |
//! | --- | --- | --- |
//! | before [`FIRST`] | a delivery layer's own, in a table of its own | reading tasks |
//! | [`SCHEDULES`] | the schedules and their runs | reading tasks and ids |
//! | [`REGISTRY`] | all tasks, their ids and keys, and the gate | accepting a start |
//! | [`TASK`] | the life of one task, and its watchers | one step of that life |
//! | [`QUEUE`] | which tasks may run | changing the queues |
//! | [`ITEMS`] | the items of one task | reading and writing the buffer |
//! | [`PROGRESS`] | the progress of one task | reading the progress |
//! | [`FEED`] | the watchers of all tasks | marking a changed task for each of them |
//! | [`CHANGES`] | the changed tasks that one watcher has not read | adding a task, taking all |
//! | [`ATTEMPT`] | what still runs of one attempt, what it awaits, and its clean-ups | reading and changing them |
//! | [`CLOCK`] | who waits by a clock, and the time that was counted | reading and changing them |
//! | [`SAMPLER`] | the tasks that are about to be sampled | adding one, taking all |
//! | [`THREADS`] | which threads poll tasks, and which of them the log has named | reading and changing that |
//!
//! The engine never calls the app's code or a waker under a lock from [`REGISTRY`] on. It does so after it has released
//! the lock: see [`effects`](crate::record::effects).

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use parking_lot::{Mutex, MutexGuard};

/// A place in the lock order. A lock with a lower rank is taken first.
pub type Rank = u8;

#[allow(missing_docs)] // The table says what each is for.
mod rank {
    use super::Rank;

    /// The first rank of the engine. The ranks before it are for a delivery layer.
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
    pub const CLOCK: Rank = FIRST + 9;
    pub const SAMPLER: Rank = FIRST + 10;
    pub const THREADS: Rank = FIRST + 11;
}

pub use rank::*;

/// A mutex that has a rank in the lock order.
#[derive(Default)]
pub struct Lock<T, const RANK: Rank> {
    mutex: Mutex<T>,
}

/// Holds a [`Lock`] and releases it when dropped.
#[must_use]
pub struct Guard<'a, T> {
    value: MutexGuard<'a, T>,
    #[cfg(debug_assertions)]
    _held: held::Held,
}

impl<T, const RANK: Rank> Lock<T, RANK> {
    /// Creates a lock that guards `value`.
    pub const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value) }
    }

    /// Takes the lock, after waiting until no other thread holds it.
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

/// Checks, in a debug build, that this thread holds no [`Lock`]. Call it before anything that may wait for another thread.
///
/// # Panics
///
/// In a debug build, if it holds one.
#[inline]
pub fn assert_holds_no_lock() {
    #[cfg(debug_assertions)]
    held::assert_none();
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

    pub(super) fn assert_none() {
        // A panic that unwinds may drop things before the guards.
        if std::thread::panicking() {
            return;
        }
        let latest = HELD.try_with(|held| held.borrow().iter().max().copied()).ok().flatten();
        assert!(latest.is_none(), "a lock of rank {latest:?} is held where the thread may wait for another one");
    }

    /// The rank of a lock that this thread holds or is about to take.
    pub(super) struct Held(Rank);

    impl Held {
        pub(super) fn new(rank: Rank) -> Self {
            // When a thread ends, a destructor may take a lock after the list was dropped. Nothing is checked then.
            let _ = HELD.try_with(|held| {
                // Not borrowed while it panics: what reports the panic may lock, too.
                let latest = held.borrow().iter().max().copied();
                assert!(
                    latest.is_none_or(|latest| latest < rank),
                    "a lock of rank {rank} is taken while one of rank {latest:?} is held: see the order in lock.rs"
                );
                held.borrow_mut().push(rank);
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

    /// Returns whether the second lock may be taken while the first is held.
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
    fn where_a_thread_may_wait_for_another_it_holds_no_lock() {
        let task = Lock::<(), TASK>::default();
        assert_holds_no_lock();
        let held = task.lock();
        assert!(catch_unwind(assert_holds_no_lock).is_err());
        drop(held);
        assert_holds_no_lock();
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
