//! Which handler's code this thread runs right now.

use std::{cell::RefCell, mem, sync::Arc};

use super::{attempt::Attempt, id::TaskId};

/// A task whose code runs.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) id: TaskId,
    /// The attempt whose handler is polled; `None` on a thread of the handler's blocking work.
    pub(crate) polled: Option<Arc<Attempt>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Current {
    /// Returns the task whose code runs on this thread.
    pub(crate) fn here() -> Option<Self> {
        // While a thread ends, no task's code runs on it.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Whether this is a poll of the handler of `attempt`.
    pub(crate) fn polls(&self, attempt: &Attempt) -> bool {
        self.polled.as_deref().is_some_and(|polled| std::ptr::eq(polled, attempt))
    }
}

/// A [`Current`] to enter again and again.
pub(crate) struct Entry(Option<Current>);

impl Entry {
    pub(crate) fn new(current: Current) -> Self {
        Self(Some(current))
    }

    /// Calls `code` of the task. A handler may block its thread on another one, so entries may be nested.
    pub(crate) fn enter<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let _inside = Inside::new(&mut self.0);
        code()
    }
}

/// Swaps the entry's task with that of the thread, and back when it is dropped.
struct Inside<'a>(&'a mut Option<Current>);

impl<'a> Inside<'a> {
    fn new(entry: &'a mut Option<Current>) -> Self {
        swap(entry);
        Self(entry)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

fn swap(with: &mut Option<Current>) {
    let _ = CURRENT.try_with(|current| mem::swap(&mut *current.borrow_mut(), with));
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn id() -> Option<TaskId> {
        Current::here().map(|current| current.id)
    }

    #[test]
    fn entries_nest_and_end_with_a_panic() {
        let ids = [(); 2].map(|()| TaskId::new());
        let [mut outer, mut inner] = ids.map(|id| Entry::new(Current { id, polled: None }));
        for _ in 0..2 {
            outer.enter(|| {
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    inner.enter(|| {
                        assert_eq!(id(), Some(ids[1]));
                        panic!("inside");
                    })
                }));
                assert!(panicked.is_err());
                assert_eq!(id(), Some(ids[0]));
            });
            assert_eq!(id(), None);
        }
    }
}
