//! Samples the progress of all tasks that report a count, on one timer.
//!
//! The timer runs while a count moves: the report that finds its task unsampled adds the task, and a task leaves when it
//! has ended or has not advanced for a while. While there is none, nothing runs.

use std::sync::{Arc, Weak};

use tokio::{
    runtime::Handle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::rate::SAMPLED_EVERY;
use crate::lock::{Lock, SAMPLER};

/// `T` is the type of a task.
pub(crate) struct Sampler<T> {
    runtime: Handle,
    /// Takes a sample. Returns whether to sample the task again.
    sample: fn(&Arc<T>) -> bool,
    waiting: Lock<Waiting<T>, SAMPLER>,
}

struct Waiting<T> {
    /// The tasks to take at the next sample.
    added: Vec<Weak<T>>,
    /// Whether the timer runs.
    runs: bool,
}

impl<T: Send + Sync + 'static> Sampler<T> {
    pub(crate) fn new(runtime: Handle, sample: fn(&Arc<T>) -> bool) -> Arc<Self> {
        Arc::new(Self { runtime, sample, waiting: Lock::new(Waiting { added: Vec::new(), runs: false }) })
    }

    /// Samples the task from now on.
    pub(crate) fn add(self: &Arc<Self>, task: &Arc<T>) {
        let was_running = {
            let mut waiting = self.waiting.lock();
            waiting.added.push(Arc::downgrade(task));
            std::mem::replace(&mut waiting.runs, true)
        };
        if !was_running {
            self.runtime.spawn(Arc::clone(self).run(Instant::now() + SAMPLED_EVERY));
        }
    }

    /// Moves the tasks that were added to the `sampled` ones. Returns whether there is any to sample; if not, the timer
    /// stops.
    fn take(&self, sampled: &mut Vec<Weak<T>>) -> bool {
        let mut waiting = self.waiting.lock();
        sampled.append(&mut waiting.added);
        waiting.runs = !sampled.is_empty();
        waiting.runs
    }

    async fn run(self: Arc<Self>, first: Instant) {
        let mut timer = interval_at(first, SAMPLED_EVERY);
        // A late sample counts for when it is taken, so there is nothing to catch up on.
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sampled = Vec::new();
        while self.take(&mut sampled) {
            timer.tick().await;
            let mut kept = Vec::with_capacity(sampled.len());
            for task in sampled {
                if task.upgrade().is_some_and(|task| (self.sample)(&task)) {
                    kept.push(task);
                }
                tokio::task::consume_budget().await;
            }
            sampled = kept;
        }
    }
}
