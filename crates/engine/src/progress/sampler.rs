//! Samples the progress of all attempts that report a count, on one timer.
//!
//! The timer runs while a count moves: the report that finds its attempt unsampled adds the attempt, which leaves when it
//! is over or has not advanced for a while. While there is none, nothing runs.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::rate::SAMPLED_EVERY;
use crate::lock::{Lock, SAMPLER};

/// `T` finds an attempt, and doesn't keep it alive.
pub(crate) struct Sampler<T> {
    runtime: Handle,
    /// Takes a sample. Returns whether to sample the attempt again.
    sample: fn(&T) -> bool,
    waiting: Lock<Waiting<T>, SAMPLER>,
}

struct Waiting<T> {
    /// The attempts to take at the next sample.
    added: Vec<T>,
    /// Whether the timer runs.
    runs: bool,
}

impl<T: Send + Sync + 'static> Sampler<T> {
    pub(crate) fn new(runtime: Handle, sample: fn(&T) -> bool) -> Arc<Self> {
        Arc::new(Self { runtime, sample, waiting: Lock::new(Waiting { added: Vec::new(), runs: false }) })
    }

    /// Samples the attempt from now on.
    pub(crate) fn add(self: &Arc<Self>, attempt: T) {
        let was_running = {
            let mut waiting = self.waiting.lock();
            waiting.added.push(attempt);
            std::mem::replace(&mut waiting.runs, true)
        };
        if !was_running {
            self.runtime.spawn(Arc::clone(self).run(Instant::now() + SAMPLED_EVERY));
        }
    }

    /// Moves the attempts that were added to the `sampled` ones. Returns whether there is any to sample; if not, the timer
    /// stops.
    fn take(&self, sampled: &mut Vec<T>) -> bool {
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
            for attempt in sampled {
                if (self.sample)(&attempt) {
                    kept.push(attempt);
                }
                tokio::task::consume_budget().await;
            }
            sampled = kept;
        }
    }
}
