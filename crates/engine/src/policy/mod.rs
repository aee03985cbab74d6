//! How tasks of one kind are treated: each policy is a file of its own, and [`Policy`] has all of them.

pub(crate) mod item_buffer;
pub(crate) mod on_exit;
pub(crate) mod on_owner_closed;
pub(crate) mod restart;
pub(crate) mod retry;
pub(crate) mod time_limit;
pub(crate) mod unread;

use std::{sync::Arc, time::Duration};

use item_buffer::Bounds;
use on_exit::OnExit;
use on_owner_closed::OnOwnerClosed;
use restart::Restart;
use retry::Retry;
use unread::Unread;

/// How tasks of one kind are treated.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a handler that knows its token may go on after a cancel.
    pub grace: Duration,
    /// Whether snapshots show the input.
    pub show_input: bool,
    /// How many may run at once.
    pub concurrency: Option<usize>,
    /// How many may wait.
    pub queue_limit: Option<usize>,
    /// The group whose limit they share.
    pub group: Option<Arc<str>>,
    /// How long they may take from their first attempt on: see [`TimeLimit`](crate::TimeLimit).
    pub timeout: Option<Duration>,
    /// How long one attempt may take.
    pub attempt_timeout: Option<Duration>,
    /// How long an attempt may go without a report.
    pub stall_timeout: Option<Duration>,
    /// How long they may take from the moment they are accepted.
    pub deadline: Option<Duration>,
    /// How long they wait before they queue, if their start doesn't say.
    pub delay: Option<Duration>,
    /// Whether failed attempts are made again.
    pub retry: Option<Retry>,
    /// Whether runs that are over are followed by others.
    pub restart: Option<Restart>,
    /// What becomes of them at the app's exit.
    pub on_exit: OnExit,
    /// What becomes of them when their owner goes.
    pub on_owner_closed: OnOwnerClosed,
    /// How much of what they emit is kept until it is read.
    pub item_buffer: Bounds,
    /// What becomes of it when nobody reads.
    pub unread: Unread,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            show_input: false,
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
        }
    }
}
