//! How tasks of one kind are treated. Each policy has a file of its own, and [`Policy`] holds all of them.

pub(crate) mod backoff;
pub(crate) mod batch_progress;
pub(crate) mod item_buffer;
pub(crate) mod mistake;
pub(crate) mod on_exit;
pub(crate) mod on_owner_closed;
pub(crate) mod restart;
pub(crate) mod retry;
pub(crate) mod unread;

use std::{sync::Arc, time::Duration};

use batch_progress::BatchProgress;
use item_buffer::Bounds;
use on_exit::OnExit;
use on_owner_closed::OnOwnerClosed;
use restart::Restart;
use retry::Retry;
use unread::Unread;

/// How tasks of one kind are treated.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a handler that uses its token may go on after a cancel.
    pub grace: Duration,
    /// Whether snapshots show the input.
    pub show_input: bool,
    /// Whether the input is in no snapshot, even if `show_input` is set, and no error says anything of it.
    pub secret_input: bool,
    /// How many tasks may run at once.
    pub concurrency: Option<usize>,
    /// How many tasks may wait.
    pub queue_limit: Option<usize>,
    /// The group whose limit the tasks share.
    pub group: Option<Arc<str>>,
    /// How long a task may take from its first attempt: see [`TimeLimit`](crate::TimeLimit).
    pub timeout: Option<Duration>,
    /// How long one attempt may take.
    pub attempt_timeout: Option<Duration>,
    /// How long an attempt may go without a sign of life: see [`TimeLimit`](crate::TimeLimit).
    pub stall_timeout: Option<Duration>,
    /// How long a task may take from the moment it is accepted.
    pub deadline: Option<Duration>,
    /// How long a task waits before it queues, unless its start says otherwise.
    pub delay: Option<Duration>,
    /// When failed attempts are retried.
    pub retry: Option<Retry>,
    /// When the handler is called again after an attempt has ended.
    pub restart: Option<Restart>,
    /// What happens to the tasks when the app exits.
    pub on_exit: OnExit,
    /// What happens to the tasks when their owner is gone.
    pub on_owner_closed: OnOwnerClosed,
    /// How many of a task's unread items are kept.
    pub item_buffer: Bounds,
    /// What happens to a task's items when nobody reads them.
    pub unread: Unread,
    /// After which time without asking a reader is taken for gone, if there is something for it to read; `None` for
    /// never, and at least a second.
    pub idle_reader: Option<Duration>,
    /// How the progress of a batch of the tasks is added up.
    pub batch_progress: BatchProgress,
    /// The number of the first attempt, from 1.
    #[cfg(any(test, feature = "test"))]
    pub first_attempt: u32,
}

impl Policy {
    /// Whether snapshots show the input.
    pub(crate) fn shows_input(&self) -> bool {
        self.show_input && !self.secret_input
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            show_input: false,
            secret_input: false,
            concurrency: None,
            queue_limit: None,
            group: None,
            timeout: None,
            attempt_timeout: None,
            stall_timeout: None,
            deadline: None,
            delay: None,
            retry: None,
            restart: None,
            on_exit: OnExit::default(),
            on_owner_closed: OnOwnerClosed::default(),
            item_buffer: Bounds::default(),
            unread: Unread::default(),
            idle_reader: None,
            batch_progress: BatchProgress::default(),
            #[cfg(any(test, feature = "test"))]
            first_attempt: 1,
        }
    }
}
