//! What was pushed to the pages of an app.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::message::TestMessage;

/// The messages so far, with the label of the webview and the number of the channel.
#[derive(Default)]
pub(super) struct Pushed {
    messages: Mutex<Vec<(String, u32, TestMessage)>>,
    changed: Arc<Notify>,
}

impl Pushed {
    pub(super) fn add(&self, label: &str, channel: u32, message: TestMessage) {
        lock(&self.messages).push((label.to_owned(), channel, message));
        self.changed.notify_waiters();
    }

    /// Returns the messages over one channel of a webview, oldest first.
    pub(super) fn over(&self, label: &str, channel: u32) -> Vec<TestMessage> {
        let messages = lock(&self.messages);
        let over = messages.iter().filter(|(to, on, _)| to == label && *on == channel);
        over.map(|(_, _, message)| message.clone()).collect()
    }

    /// Returns message number `place`, from 0, over one channel of a webview once it was pushed.
    pub(super) async fn nth(&self, label: &str, channel: u32, place: usize) -> TestMessage {
        loop {
            let changed = self.changed.notified();
            if let Some(message) = self.over(label, channel).into_iter().nth(place) {
                return message;
            }
            changed.await;
        }
    }
}

/// Locks what a panic elsewhere in the test may have left locked.
pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
