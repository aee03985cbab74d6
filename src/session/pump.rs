use tauri::ipc::Channel;
use tokio::time::{Instant, sleep_until};

use super::{message::SessionMessage, session::Session};

/// Why a session is fed no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was closed, or its channel is gone.
    Closed,
    /// Its page has stopped answering.
    Silent,
}

/// Feeds one session until it is closed. The channel goes with it, and with the channel its callback in the page.
///
/// It runs when there can be something to do: when the page has answered, when the next frame is due, and, once there is
/// nothing left to tell, when a task changes.
pub(super) async fn pump(session: &Session, channel: Channel<SessionMessage>) -> End {
    let feed = async {
        loop {
            let (message, pause) = {
                let mut outbox = session.outbox.lock();
                let now = Instant::now();
                if outbox.is_expired(now) {
                    return End::Silent;
                }
                let message = outbox.next_push(&session.watcher, now);
                (message, outbox.pause(now))
            };
            if let Some(message) = message
                && channel.send(message).is_err()
            {
                return End::Closed;
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
    tokio::select! {
        () = session.closed.cancelled() => End::Closed,
        end = feed => end,
    }
}
