use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, futures::Notified},
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Elapsed, NOTICED_WITHIN};
use crate::lock::{CLOCK, Lock};

/// A shorter sleep is noticed once several add up to this. Two clocks may drift apart by less without a sleep.
const NOTICEABLE: Duration = Duration::from_millis(100);

/// Notices that the machine has slept, and wakes all that wait by a clock that counts sleep. They share this one timer,
/// which runs only while somebody waits.
pub(super) struct SleepWatch {
    elapsed: Elapsed,
    control: Handle,
    has_slept: Notify,
    watching: Lock<Watching, CLOCK>,
}

#[derive(Default)]
struct Watching {
    waiting: usize,
    runs: bool,
    task: Option<AbortOnDropHandle<()>>,
}

/// What both clocks showed at one moment.
struct Reading {
    elapsed: Duration,
    tokio: Instant,
}

/// Keeps the watch running until it is dropped.
pub(super) struct Waiting<'a>(&'a SleepWatch);

impl SleepWatch {
    /// Creates a watch, which runs on `control`.
    pub(super) fn new(elapsed: Elapsed, control: Handle) -> Arc<Self> {
        Arc::new(Self { elapsed, control, has_slept: Notify::new(), watching: Lock::default() })
    }

    /// Watches at least until the guard is dropped.
    pub(super) fn wait(self: &Arc<Self>) -> Waiting<'_> {
        let begins = {
            let mut watching = self.watching.lock();
            watching.waiting += 1;
            !std::mem::replace(&mut watching.runs, true)
        };
        if begins {
            let task = AbortOnDropHandle::new(self.control.spawn(watch(Arc::downgrade(self), self.read())));
            self.watching.lock().task = Some(task);
        }
        Waiting(self)
    }

    /// Resolves when the machine has slept since this call.
    pub(super) fn has_slept(&self) -> Notified<'_> {
        self.has_slept.notified()
    }

    fn read(&self) -> Reading {
        Reading { elapsed: (self.elapsed)(), tokio: Instant::now() }
    }

    /// Wakes the waiting if the machine has slept. Returns `false` if nobody waits: the watch ends.
    fn look(&self, since: &mut Reading) -> bool {
        {
            let mut watching = self.watching.lock();
            if watching.waiting == 0 {
                watching.runs = false;
                return false;
            }
        }
        let now = self.read();
        let (elapsed, tokio) = (now.elapsed.saturating_sub(since.elapsed), now.tokio - since.tokio);
        if elapsed >= tokio + NOTICEABLE {
            self.has_slept.notify_waiters();
        }
        if elapsed < tokio || elapsed >= tokio + NOTICEABLE {
            *since = now;
        }
        true
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.watching.lock().waiting -= 1;
    }
}

async fn watch(watch: Weak<SleepWatch>, mut since: Reading) {
    loop {
        sleep(NOTICED_WITHIN).await;
        if !watch.upgrade().is_some_and(|watch| watch.look(&mut since)) {
            return;
        }
    }
}
