//! Samples the progress of all tasks that report any, on one timer.
//!
//! The timer runs while a count moves: the report that finds its task unsampled adds the task, and a task leaves when it
//! has ended or has not advanced for a while. While there is none, nothing runs.

use std::sync::{Arc, Weak};

use tokio::{
    runtime::Handle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{Common, Record};
use crate::{
    lock::{Lock, SAMPLER},
    progress::{cell::Sampled, rate::SAMPLED_EVERY},
};

pub(super) struct Sampler {
    control: Handle,
    waiting: Lock<Waiting, SAMPLER>,
}

#[derive(Default)]
struct Waiting {
    /// The tasks to take at the next sample.
    added: Vec<Weak<Record>>,
    /// Whether the timer runs.
    runs: bool,
}

impl Sampler {
    pub(super) fn new(control: Handle) -> Self {
        Self { control, waiting: Lock::default() }
    }

    /// Samples the task from now on.
    pub(super) fn add(&self, record: &Arc<Record>) {
        let was_running = {
            let mut waiting = self.waiting.lock();
            waiting.added.push(Arc::downgrade(record));
            std::mem::replace(&mut waiting.runs, true)
        };
        if !was_running {
            self.control.spawn(run(Arc::clone(&record.common), Instant::now() + SAMPLED_EVERY));
        }
    }

    /// Moves the tasks that were added to the `sampled` ones. Returns whether there is any to sample; if not, the timer
    /// stops.
    fn take(&self, sampled: &mut Vec<Weak<Record>>) -> bool {
        let mut waiting = self.waiting.lock();
        sampled.append(&mut waiting.added);
        waiting.runs = !sampled.is_empty();
        waiting.runs
    }
}

async fn run(common: Arc<Common>, first: Instant) {
    let mut timer = interval_at(first, SAMPLED_EVERY);
    // A late sample counts for when it is taken, so there is nothing to catch up on.
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sampled = Vec::new();
    while common.sampler.take(&mut sampled) {
        timer.tick().await;
        let mut kept = Vec::with_capacity(sampled.len());
        for task in sampled {
            if task.upgrade().is_some_and(|record| record.sample()) {
                kept.push(task);
            }
            tokio::task::consume_budget().await;
        }
        sampled = kept;
    }
}

impl Record {
    /// Takes a sample of its progress. Returns whether to sample it again.
    fn sample(self: &Arc<Self>) -> bool {
        match self.progress.sample(Instant::now()) {
            Sampled::LetGo => false,
            Sampled::GoOn(due) => {
                if due.is_some_and(|due| due.watchers) {
                    self.tell_watchers();
                }
                true
            }
        }
    }
}
