use tokio::time::{Instant, sleep_until};

use super::{gone::gone, message::SessionMessage, session::Session};
use crate::Error;

impl Session {
    /// The page has taken this message; returns the next if that one left something out, when the next frame is due.
    ///
    /// Cancel safe: what is not answered is pushed.
    pub(crate) async fn acknowledge(&self, message: u64) -> Result<Option<SessionMessage>, Error> {
        let Some(rest) = self.outbox.lock().acknowledge(message, Instant::now()) else {
            // Something may have come up for the pump, which doesn't look while a message is on its way.
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

/// An acknowledgement that waits for its answer.
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
