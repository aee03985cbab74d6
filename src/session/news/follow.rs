use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{Cursor, Follower, Record};

use super::room::Room;
use crate::{TaskChange, TaskEvent, TaskSnapshot, session::message::Encoded};

/// One task that a page follows by itself.
pub(in crate::session) struct Follow {
    pub cursor: Cursor,
    pub follower: Follower,
    /// Its place among those with something to tell.
    pub turn: Option<u64>,
}

/// What is left to tell of a followed task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Left {
    Nothing,
    /// It goes on faster than it can be told: the rest waits for its next turn.
    MoreToCome,
    /// The message is full.
    NoRoom,
}

impl Follow {
    /// How the task stands, and the place right behind it if there is anything to follow.
    pub(in crate::session) fn new(record: &Arc<Record>) -> (TaskSnapshot, Option<Self>) {
        // The follower first: from the look on, the task may fail.
        let follower = Follower::new(record);
        let (snapshot, cursor) = Cursor::new(record);
        if cursor.has_ended() {
            follower.knows_the_end();
            return (snapshot, None);
        }
        (snapshot, Some(Self { cursor, follower, turn: None }))
    }

    /// Adds what there is to tell, with the newest progress once, and leaves `reserved` bytes of the room. Answers what is
    /// left, and if the progress was told, whether that has a rate.
    pub(in crate::session) fn tell(
        &mut self,
        events: &mut Vec<Encoded<TaskEvent>>,
        room: &mut Room,
        reserved: usize,
    ) -> (Left, Option<bool>) {
        let mut rated = None;
        loop {
            let mut cursor = self.cursor;
            let Some(event) = cursor.next(self.follower.record()) else { return (Left::Nothing, rated) };
            let rate = match &event.change {
                TaskChange::Progress(_) if rated.is_some() => return (Left::MoreToCome, rated),
                TaskChange::Progress(progress) => Some(progress.rate.is_some()),
                _ => rated,
            };
            if let Ok(event) = Encoded::new(&event) {
                if !room.takes(event.len(), reserved) {
                    return (Left::NoRoom, rated);
                }
                events.push(event);
            }
            (self.cursor, rated) = (cursor, rate);
        }
    }
}
