use std::sync::{Arc, Weak};

use tauri::ipc::Channel;
use tokio::time::{Instant, sleep_until};

use super::{Session, SessionMessage, Sessions};

/// Feeds one session until it is closed. The channel goes with it, and with the channel its callback in the page.
pub(super) async fn pump(session: Arc<Session>, channel: Channel<SessionMessage>, sessions: Weak<Sessions>) {
    let feed = async {
        loop {
            let (message, deadline) = {
                let mut outbox = session.outbox.lock();
                let now = Instant::now();
                if outbox.is_expired(now) {
                    return;
                }
                outbox.absorb(session.watcher.take());
                (outbox.next_push(now), outbox.next_deadline())
            };
            if let Some(message) = message
                && channel.send(message).is_err()
            {
                return;
            }
            let timer = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = session.watcher.changed() => {}
                () = timer => {}
            }
        }
    };
    tokio::select! {
        () = session.closed.cancelled() => {}
        () = feed => {}
    }
    if let Some(sessions) = sessions.upgrade() {
        sessions.close_one(&session);
    }
}
