//! Counts how long a page has been silent, in time in which the app itself ran.
//!
//! An app that is stopped, or whose machine sleeps, hears nothing of pages that were answering. So that time hardly
//! counts, and afterwards each page gets a [`CATCH_UP`] in which it is not given up.

use std::time::Duration;

use tauri_plugin_tasks_engine::delivery::AwakeTime;
use tokio::time::Instant;

use super::timing::{CATCH_UP, STEP, VISIBLE_LIMIT};
use crate::session::message::Visibility;

pub(super) struct Silence {
    awake: AwakeTime,
    read_at: Instant,
    /// The time that was counted until `read_at`.
    counted: Duration,
    /// What was counted when the page was last heard.
    heard: Duration,
    /// What has to be counted before the page may be given up.
    caught_up: Duration,
    visibility: Option<Visibility>,
    hidden_limit: Duration,
}

impl Silence {
    /// Begins to count at `now`. A hidden page may be silent for `hidden_limit`, and never for less than a visible one.
    pub(super) fn new(now: Instant, hidden_limit: Duration) -> Self {
        Self {
            awake: AwakeTime::new(now, STEP),
            read_at: now,
            counted: Duration::ZERO,
            heard: Duration::ZERO,
            caught_up: Duration::ZERO,
            visibility: None,
            hidden_limit,
        }
    }

    /// Counts the time until `now`. Call this at least once in each [`STEP`] while the silence matters.
    pub(super) fn count(&mut self, now: Instant) {
        let (before, passed) = (self.counted, now.saturating_duration_since(self.read_at));
        self.counted = self.awake.read(now);
        self.read_at = self.read_at.max(now);
        if passed > self.counted.saturating_sub(before) {
            self.caught_up = self.counted + CATCH_UP;
        }
    }

    /// Returns what is counted by now.
    pub(super) fn counted(&self) -> Duration {
        self.counted
    }

    /// Returns what was counted since this was counted.
    pub(super) fn since(&self, before: Duration) -> Duration {
        self.counted.saturating_sub(before)
    }

    /// Records that the page was heard.
    pub(super) fn hears(&mut self, now: Instant) {
        self.count(now);
        self.heard = self.counted;
    }

    /// Records whether the page can be seen, unless it has said something newer before. A page that says so is heard.
    pub(super) fn sees(&mut self, visibility: Visibility, now: Instant) {
        self.hears(now);
        if self.visibility.is_none_or(|known| known.change < visibility.change) {
            self.visibility = Some(visibility);
        }
    }

    /// Returns how long the page has been silent.
    pub(super) fn length(&self) -> Duration {
        self.since(self.heard)
    }

    /// Returns how much longer the page may be silent.
    pub(super) fn left(&self) -> Duration {
        self.limit().saturating_sub(self.length()).max(self.left_to_catch_up())
    }

    /// Returns how much longer nothing may be concluded, since the app did not run for a while.
    pub(super) fn left_to_catch_up(&self) -> Duration {
        self.caught_up.saturating_sub(self.counted)
    }

    fn limit(&self) -> Duration {
        let is_hidden = self.visibility.is_some_and(|visibility| visibility.hidden);
        if is_hidden { self.hidden_limit.max(VISIBLE_LIMIT) } else { VISIBLE_LIMIT }
    }
}
