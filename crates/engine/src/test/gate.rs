//! Holds a handler back while a test looks at what it has reported.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    sync::Arc,
    task::{Poll, Waker},
};

use parking_lot::Mutex;

use crate::progress::recording::Recording;

/// Holds a handler back while a test looks at what it has reported. Open unless a test looks.
pub(super) struct Gate {
    reports: Arc<Recording>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many reports the test has looked at; `None` if it looks at none.
    looked_at: Option<usize>,
    /// What polls the handler once it may go on.
    handler: Option<Waker>,
}

impl Gate {
    pub(super) fn new(reports: &Arc<Recording>) -> Self {
        Self { reports: Arc::clone(reports), state: Mutex::default() }
    }

    /// Runs a handler, which is not polled between a report of its and the test's look at it.
    pub(super) async fn pass<T>(&self, handler: impl Future<Output = T>) -> T {
        let mut handler = pin!(handler);
        poll_fn(|context| {
            let mut state = self.state.lock();
            if state.looked_at.is_some_and(|looked_at| looked_at < self.reports.len()) {
                state.handler = Some(context.waker().clone());
                return Poll::Pending;
            }
            drop(state);
            handler.as_mut().poll(context)
        })
        .await
    }

    /// Begins to look at reports, those after this number.
    pub(super) fn look(&self, looked_at: usize) -> Look<'_> {
        let look = Look(self);
        look.has_looked_at(looked_at);
        look
    }

    fn set(&self, looked_at: Option<usize>) {
        self.reports.set_looked_at(looked_at.is_some());
        let handler = {
            let mut state = self.state.lock();
            state.looked_at = looked_at;
            mem::take(&mut state.handler)
        };
        if let Some(handler) = handler {
            handler.wake();
        }
    }
}

/// A test looks at reports until this is dropped.
pub(super) struct Look<'a>(&'a Gate);

impl Look<'_> {
    /// Notes that the test has looked at so many reports.
    pub(super) fn has_looked_at(&self, reports: usize) {
        self.0.set(Some(reports));
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
