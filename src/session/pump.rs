use std::sync::{Arc, Weak};

use tauri::ipc::Channel;
use tokio::time::{Instant, sleep_until};

use super::{Session, SessionMessage, Sessions};

/// Feeds one session until it is closed. The channel goes with it, and with the channel its callback in the page.
///
/// It runs when there can be something to do: when the page has answered, when the next frame is due, and, once there is
/// nothing left to tell, when a task changes.
pub(super) async fn pump(session: Arc<Session>, channel: Channel<SessionMessage>, sessions: Weak<Sessions>) {
    // Its answer: whether the page has stopped answering.
    let feed = async {
        loop {
            let (message, pause) = {
                let mut outbox = session.outbox.lock();
                let now = Instant::now();
                if outbox.is_expired(now) {
                    return true;
                }
                let message = outbox.next_push(&session.watcher, now);
                (message, outbox.pause(now))
            };
            if let Some(message) = message
                && channel.send(message).is_err()
            {
                return false;
            }
            let timer = async {
                match pause.until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = session.wake.notified() => {}
                () = session.watcher.holds(pause.changes) => {}
                () = timer => {}
            }
        }
    };
    let is_silent = tokio::select! {
        () = session.closed.cancelled() => false,
        is_silent = feed => is_silent,
    };
    if let Some(sessions) = sessions.upgrade() {
        sessions.close_one(&session);
        if is_silent && !sessions.has_any_of(&session.page) {
            session.tasks.owner_is_silent(&session.page);
        }
    }
}
