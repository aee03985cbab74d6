//! Which tasks the code of a task awaits, and whose code awaits it, as far as that can be seen.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::{
    lock::{ATTEMPT, Lock},
    task::{
        attempt::Attempt,
        current::Current,
        id::{IdMap, TaskId},
    },
};

/// The waits of one task for others, and those of others for it.
#[derive(Default)]
pub(crate) struct KnownWaits(Lock<State, ATTEMPT>);

#[derive(Default)]
struct State {
    /// Its waits, and those for tasks that it has started, oldest first.
    waits: BTreeMap<u64, Arc<Wait>>,
    next: u64,
    /// The tasks whose code awaits it, and in how many waits.
    waiters: IdMap<usize>,
    told: [bool; 4],
}

/// What the log says of a task at most once.
#[derive(Clone, Copy)]
pub(super) enum Warning {
    /// Its slot keeps a task from running that it awaits.
    Blocks,
    /// Its slot keeps a task from running that somebody awaits.
    MayBlock,
    /// It waits for its own slot.
    HeldUp,
    /// It awaits itself, through others or not.
    Ring,
}

/// A wait for something of a task.
pub(super) struct Wait {
    pub(super) of: TaskId,
    pub(super) by: By,
}

/// Who awaits a task.
pub(super) enum By {
    /// A handler, which had been polled this often when it polled the wait last.
    Handler { attempt: Arc<Attempt>, polls: AtomicU64 },
    /// Code of a task on a thread.
    Thread,
    /// It can't be seen. The task is one that has started the awaited one.
    Unknown,
}

impl By {
    pub(super) fn code(current: &Current) -> Self {
        match &current.polled {
            Some(attempt) => Self::Handler { attempt: Arc::clone(attempt), polls: attempt.polls().into() },
            None => Self::Thread,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

impl Wait {
    /// Notes that it was polled, and goes on.
    pub(super) fn polled(&self) {
        if let By::Handler { attempt, polls } = &self.by {
            polls.store(attempt.polls(), Relaxed);
        }
    }

    /// Whether the code that has begun the wait is seen to await it now. A handler may have put it aside.
    pub(super) fn is_awaited(&self) -> bool {
        match &self.by {
            By::Handler { attempt, polls } => !attempt.is_over() && attempt.polls() == polls.load(Relaxed),
            By::Thread => true,
            By::Unknown => false,
        }
    }
}

impl KnownWaits {
    /// Returns the waits of the task for others.
    pub(super) fn all(&self) -> Vec<Arc<Wait>> {
        self.0.lock().waits.values().cloned().collect()
    }

    /// Returns the tasks whose code awaits the task.
    pub(super) fn waiters(&self) -> Vec<TaskId> {
        self.0.lock().waiters.keys().copied().collect()
    }

    /// Whether the log has yet to say this of the task. Only the first call returns true.
    pub(super) fn is_to_be_told(&self, warning: Warning) -> bool {
        !std::mem::replace(&mut self.0.lock().told[warning as usize], true)
    }

    /// Undoes [`is_to_be_told`](Self::is_to_be_told), which has returned true: the log does not say it after all.
    pub(super) fn is_not_told(&self, warning: Warning) {
        self.0.lock().told[warning as usize] = false;
    }
}

/// A wait that is known until this is dropped.
pub(super) struct Known {
    waiter: TaskId,
    /// The waits of the waiter, and of the awaited task.
    from: Arc<KnownWaits>,
    to: Arc<KnownWaits>,
    number: u64,
    wait: Arc<Wait>,
}

impl Known {
    /// Notes a wait from one task to another.
    pub(super) fn new(from: (TaskId, &Arc<KnownWaits>), to: (TaskId, &Arc<KnownWaits>), by: By) -> Self {
        let ((waiter, from), (of, to)) = (from, to);
        if by.is_known() {
            *to.0.lock().waiters.entry(waiter).or_default() += 1;
        }
        let wait = Arc::new(Wait { of, by });
        let mut state = from.0.lock();
        state.next += 1;
        let number = state.next;
        state.waits.insert(number, Arc::clone(&wait));
        drop(state);
        Self { waiter, from: Arc::clone(from), to: Arc::clone(to), number, wait }
    }

    pub(super) fn wait(&self) -> &Arc<Wait> {
        &self.wait
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let _ = self.from.0.lock().waits.remove(&self.number);
        if self.wait.by.is_known() {
            let mut state = self.to.0.lock();
            if let Some(count) = state.waiters.get_mut(&self.waiter) {
                *count -= 1;
                if *count == 0 {
                    state.waiters.remove(&self.waiter);
                }
            }
        }
    }
}
