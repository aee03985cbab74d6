//! Counts how long a page has been silent, in time in which the app itself ran.
//!
//! An app that is stopped, or whose machine sleeps, hears nothing of pages that were answering. So that time hardly
//! counts, and afterwards each page gets a [`CATCH_UP`] in which it is not given up. The same holds while the app's
//! [main thread](super::main_thread) is blocked: it is asked before a page is given up, and the time until it answers
//! does not count.

use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::delivery::AwakeTime;
use tokio::time::Instant;

use super::{
    main_thread::{MainThread, Question},
    page_signs::PageSigns,
    timing::{CATCH_UP, PROBE, STEP, VISIBLE_LIMIT},
};
use crate::session::message::Visibility;

pub(super) struct Silence {
    awake: AwakeTime,
    main_thread: MainThread,
    read_at: Instant,
    /// The time in which the app ran until `read_at`.
    ran: Duration,
    /// The time that was counted until `read_at`.
    counted: Duration,
    /// What was counted when the page was last heard in this session, and when that was.
    heard: Duration,
    heard_at: Instant,
    /// What was counted since then in times in which the page was heard in another session.
    elsewhere: Duration,
    /// What has to be counted before the page may be given up.
    caught_up: Duration,
    /// The newest that the page has said in this session.
    visibility: Option<Visibility>,
    page: Arc<PageSigns>,
    /// Whether the page was hidden when this was last counted.
    hidden: bool,
}

impl Silence {
    /// Begins to count at `now`, for one session of a page.
    pub(super) fn new(now: Instant, page: Arc<PageSigns>) -> Self {
        Self {
            awake: AwakeTime::new(now, STEP),
            main_thread: MainThread::new(),
            read_at: now,
            ran: Duration::ZERO,
            counted: Duration::ZERO,
            heard: Duration::ZERO,
            heard_at: now,
            elsewhere: Duration::ZERO,
            caught_up: Duration::ZERO,
            visibility: None,
            hidden: page.is_hidden(),
            page,
        }
    }

    /// Counts the time until `now`. Call this at least once in each [`STEP`] while the silence matters.
    pub(super) fn count(&mut self, now: Instant) {
        let (before, passed) = (self.counted, now.saturating_duration_since(self.read_at));
        let ran = self.awake.read(now);
        let counts = ran.saturating_sub(std::mem::replace(&mut self.ran, ran));
        let unanswered = self.main_thread.look(now);
        let answered_for =
            unanswered.as_ref().map_or(passed, |unanswered| now.saturating_duration_since(unanswered.until));
        self.counted += counts.min(answered_for);
        self.read_at = self.read_at.max(now);
        if passed > counts {
            self.caught_up = self.counted + CATCH_UP;
        } else if unanswered.is_some_and(|unanswered| unanswered.long) {
            // From the answer on, if there is one by now.
            self.caught_up = self.caught_up.max(before + CATCH_UP);
        }
        if self.is_heard_elsewhere() && self.page.heard() + PROBE + STEP >= now {
            self.elsewhere += self.since(before);
        }
        let was_hidden = std::mem::replace(&mut self.hidden, self.page.is_hidden());
        if was_hidden && !self.hidden {
            // It was shown by what it said in another session. What it says in this one may still be on its way.
            self.begins_anew();
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

    /// Returns what was counted between this count and the moment in which the page was last heard.
    pub(super) fn heard_since(&self, before: Duration) -> Duration {
        self.heard.saturating_sub(before)
    }

    /// Records that the page was heard.
    pub(super) fn hears(&mut self, now: Instant) {
        self.forgives(now);
        self.heard_at = now;
        self.page.hears(now);
    }

    /// Records that the page has used this session.
    pub(super) fn uses(&mut self, now: Instant) {
        self.hears(now);
        self.page.uses();
    }

    /// Makes the silence begin at `now`, though the page was not heard.
    pub(super) fn forgives(&mut self, now: Instant) {
        self.count(now);
        self.begins_anew();
    }

    fn begins_anew(&mut self) {
        self.heard = self.counted;
        self.elsewhere = Duration::ZERO;
    }

    /// Records whether the page can be seen, unless it has said something newer before. A page that says so is heard.
    pub(super) fn sees(&mut self, visibility: Visibility, now: Instant) {
        self.hears(now);
        if self.visibility.is_none_or(|known| known.change < visibility.change) {
            self.visibility = Some(visibility);
            self.page.set_hidden(visibility.hidden);
            self.hidden = visibility.hidden;
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

    /// Returns how much longer nothing may be concluded, since the app or its main thread did not run for a while.
    pub(super) fn left_to_catch_up(&self) -> Duration {
        self.caught_up.saturating_sub(self.counted)
    }

    /// Asks the main thread whether it runs, unless it was asked a moment ago.
    pub(super) fn ask_main_thread(&mut self, now: Instant) -> Option<Question> {
        self.main_thread.ask(now)
    }

    /// Returns whether the main thread has answered a moment ago, so that the page could be heard.
    pub(super) fn is_main_thread_answering(&self, now: Instant) -> bool {
        self.main_thread.answers(now)
    }

    /// Returns whether the page goes on without this session: it is heard in another one, and has said nothing in this
    /// one for as long as a visible page may be silent. If it has never used this session (`is_used`), that it was heard
    /// at all says enough.
    pub(super) fn is_forgotten(&self, is_used: bool) -> bool {
        let length = if is_used || !self.is_heard_elsewhere() { self.elsewhere } else { self.length() };
        length >= VISIBLE_LIMIT && self.left_to_catch_up().is_zero()
    }

    /// Returns whether the page was heard in another session since it was heard in this one.
    fn is_heard_elsewhere(&self) -> bool {
        self.page.heard() > self.heard_at
    }

    fn limit(&self) -> Duration {
        if self.hidden { self.page.hidden_limit().max(VISIBLE_LIMIT) } else { VISIBLE_LIMIT }
    }
}
