use tauri::ipc::Channel;
use tokio::time::{Instant, sleep_until};

use super::{message::MessageText, session::Session};

/// Why the pump has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The session was closed, or its channel is gone.
    Closed,
    /// The page has stopped acknowledging.
    Silent,
}

/// Pushes the messages of one session until it is closed. Then drops the channel, which removes its callback in the
/// page.
///
/// It wakes only when there may be something to do: when the page has acknowledged, when the next frame is due or, if
/// there is no news left, when a task changes.
pub(super) async fn pump(session: &Session, channel: Channel<MessageText>) -> End {
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
                && channel.send(MessageText(message)).is_err()
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
