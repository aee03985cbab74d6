use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{Common, Kind, Live, Record, RecordState, effective_delay, shares::Shares};
use crate::{
    changes::feed::Feed,
    json::Json,
    lock::Lock,
    logged::logged,
    start_options::StartOptions,
    task::{current::Current, id::TaskId, life::Life, owner::Owner, status::TaskStatus},
};

/// What a new task is made from.
pub(crate) struct Birth {
    pub(crate) id: TaskId,
    pub(crate) kind: Arc<Kind>,
    pub(crate) input: Json,
    pub(crate) owner: Owner,
    pub(crate) options: StartOptions,
    pub(crate) parent: Option<TaskId>,
    pub(crate) members: Option<Box<[TaskId]>>,
}

impl Birth {
    /// Returns how long the task waits before it queues.
    pub(crate) fn delay(&self) -> Option<Duration> {
        effective_delay(self.options.delay, &self.kind)
    }

    /// Makes the task, which nobody can find yet. Don't call this under a lock: the new span calls the tracing
    /// subscriber, which may ask for tasks.
    pub(crate) fn record(self, common: &Arc<Common>) -> Arc<Record> {
        let now = common.clock.now();
        let due = self.delay().map(|delay| common.timers.elapsed().saturating_add(delay));
        let Self { id, kind, input, owner, options, parent, members } = self;
        #[cfg_attr(not(any(test, feature = "test")), allow(unused_mut))]
        let mut life = Life::new(now, due);
        #[cfg(any(test, feature = "test"))]
        life.skip_to_attempt(kind.policy.first_attempt);
        let span = tracing::debug_span!("task", kind = logged(&kind.name), %id, status = TaskStatus::Queued.name());
        Arc::new(Record {
            id,
            kind,
            input,
            options: Some(options).filter(|options| *options != StartOptions::default()).map(Box::new),
            charge: OnceLock::new(),
            order: AtomicU64::new(0),
            may_be_repeated: owner != Owner::App && parent.is_none(),
            parent,
            members,
            rerun_of: OnceLock::new(),
            started_by: Current::here().map(|current| current.id),
            warned_of_detail: AtomicBool::new(false),
            items: OnceLock::new(),
            state: Lock::new(RecordState {
                life,
                shares: Shares::new(owner),
                feed: Feed::default(),
                last_progress: None,
                followers: 0,
                failure_told: false,
                removed: false,
                waits_for_readers_until: None,
                short_runs: 0,
                live: Live { span: Some(span).filter(|span| !span.is_disabled()).map(Arc::new), ..Live::none() },
                batch: None,
                lent: None,
            }),
            lenders: OnceLock::new(),
            known_waits: OnceLock::new(),
            ended: Notify::new(),
            common: Arc::clone(common),
        })
    }
}
