use tokio::time::{Instant, sleep_until};

use super::{gone::gone, message::SessionMessage, session::Session};
use crate::Error;

impl Session {
    /// Acknowledges message number `message`. If that message left something out, waits until the next frame is due and
    /// returns the next message.
    ///
    /// Cancel safe: if the call is dropped, the rest is pushed.
    pub(crate) async fn acknowledge(&self, message: u64) -> Result<Option<SessionMessage>, Error> {
        let Some(rest) = self.outbox.lock().acknowledge(message, Instant::now()) else {
            // The pump ignores changes while a message is unacknowledged, so some may be waiting by now.
            self.wake.notify_one();
            return Ok(None);
        };
        let _waiting = Waiting { session: self, acknowledgement: rest.acknowledgement };
        tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(gone("it was closed")),
            () = sleep_until(rest.due) => {}
        }
        let answer = self.outbox.lock().answer(rest.acknowledgement, &self.watcher, Instant::now());
        if answer.is_none() {
            self.wake.notify_one();
        }
        Ok(answer)
    }
}

/// An acknowledgement that waits for its answer. Dropping it gives up the answer, so that the rest is pushed.
struct Waiting<'a> {
    session: &'a Session,
    acknowledgement: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.session.outbox.lock().give_up(self.acknowledgement) {
            self.session.wake.notify_one();
        }
    }
}
