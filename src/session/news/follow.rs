use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::delivery::{Cursor, Follower, Owner, Record};
use tokio::time::Instant;

use super::{pace::Pace, room::Room};
use crate::{TaskChange, TaskEvent, TaskSnapshot, session::message::Encoded};

/// A single task that a page follows.
pub(in crate::session) struct Follow {
    pub cursor: Cursor,
    pub follower: Follower,
    /// Who may be told of the task only as long as it has a share in it. `None` if the page sees the task in any case.
    pub share_of: Option<Owner>,
    /// The task's turn, if it has news.
    pub turn: Option<u64>,
    /// How often its progress is reported.
    pub pace: Pace,
    /// When its next turn begins, if its progress waits for that.
    pub held_until: Option<Instant>,
}

/// What remains to be reported about a followed task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Left {
    Nothing,
    /// New progress, which is not due yet.
    Held,
    /// The message already contains a progress event of this task, so the rest waits for the task's next turn.
    MoreToCome,
    /// The message is full.
    NoRoom,
}

impl Follow {
    /// Whether the page may still be told of the task.
    pub(in crate::session) fn is_told(&self) -> bool {
        self.share_of.as_ref().is_none_or(|owner| self.follower.record().tells(owner))
    }

    /// Returns the task's snapshot, and a follow that begins right after it unless the task has ended.
    pub(in crate::session) fn new(
        record: &Arc<Record>,
        share_of: Option<&Owner>,
        every: Duration,
        now: Instant,
    ) -> (TaskSnapshot, Option<Self>) {
        // Create the follower first, since the task may fail right after the snapshot.
        let follower = Follower::new(record);
        let (snapshot, cursor) = Cursor::new(record);
        if cursor.has_ended() {
            follower.knows_the_end();
            return (snapshot, None);
        }
        let (share_of, pace) = (share_of.cloned(), Pace::new(every, now));
        (snapshot, Some(Self { cursor, follower, share_of, turn: None, pace, held_until: None }))
    }

    /// Adds the task's news to `events`, with at most one progress event, and leaves `reserved` bytes of `room` free.
    /// Returns what remains and, if a progress event was added, whether it has a rate.
    pub(in crate::session) fn tell(
        &mut self,
        events: &mut Vec<Encoded<TaskEvent>>,
        room: &mut Room,
        reserved: usize,
        now: Instant,
    ) -> (Left, Option<bool>) {
        let mut rated = None;
        loop {
            let mut cursor = self.cursor;
            let is_due = self.pace.allows(now);
            let Some(event) = cursor.next_paced(self.follower.record(), is_due) else {
                let is_held = !is_due && cursor.next(self.follower.record()).is_some();
                return (if is_held { Left::Held } else { Left::Nothing }, rated);
            };
            let rate = match &event.change {
                TaskChange::Progress(_) if rated.is_some() => return (Left::MoreToCome, rated),
                TaskChange::Progress(progress) => Some(progress.rate.is_some()),
                _ => rated,
            };
            if let Ok(encoded) = Encoded::new(&event) {
                if !room.takes(encoded.escaped_len(), reserved) {
                    return (Left::NoRoom, rated);
                }
                events.push(encoded);
            }
            if matches!(event.change, TaskChange::Progress(_)) {
                self.pace.tell(now);
            }
            (self.cursor, rated) = (cursor, rate);
        }
    }
}
