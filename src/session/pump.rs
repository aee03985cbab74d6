use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    message::MessageText,
    protocol::{Loss, main_thread::Question},
    push_channel::PushChannel,
    session::Session,
};

/// Why the pump has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The session was closed, or its channel is gone.
    Closed,
    /// The webview of the page has closed.
    WebviewClosed,
    /// The session can't go on.
    Lost(Loss),
}

/// A question to Tauri, whether the webview of a page still exists.
#[derive(Clone, Default)]
pub(super) struct Existence {
    is_asked: Arc<AtomicBool>,
    closed: CancellationToken,
}

impl Existence {
    /// Records the answer.
    pub(super) fn answer(self, exists: bool) {
        if !exists {
            self.closed.cancel();
        }
        self.is_asked.store(false, Relaxed);
    }
}

/// Pushes the messages of one session until it is closed. Then drops the channel, which removes its callback in the
/// page.
///
/// It wakes only when there may be something to do: when the page has acknowledged, when the next frame is due, if there
/// is no news left, when a task changes and, while something depends on the page, in steps that count its silence.
/// `ask_whether_it_exists` and `ask_main_thread` let another thread answer a question.
pub(super) async fn pump(
    session: &Session,
    channel: PushChannel,
    ask_whether_it_exists: impl Fn(Existence),
    ask_main_thread: impl Fn(Question),
) -> End {
    let existence = Existence::default();
    let feed = async {
        loop {
            // Without the lock, since this takes locks of the engine. What begins to hang from here on wakes the pump.
            let is_needed = session.is_needed();
            let (message, pause, is_quiet, question) = {
                let mut outbox = session.outbox.lock();
                let now = Instant::now();
                if is_needed && let Some(loss) = outbox.loss(now) {
                    return End::Lost(loss);
                }
                let question = if is_needed { outbox.ask_main_thread(now) } else { None };
                let message = outbox.next_push(&session.watcher, is_needed, now);
                (message, outbox.pause(is_needed, now), outbox.is_quiet(), question)
            };
            if let Some(question) = question {
                ask_main_thread(question);
            }
            if is_needed && is_quiet && !existence.is_asked.swap(true, Relaxed) {
                ask_whether_it_exists(existence.clone());
            }
            if let Some(message) = message {
                channel.send(MessageText(message));
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
        () = channel.broken() => End::Closed,
        () = existence.closed.cancelled() => End::WebviewClosed,
        end = feed => end,
    }
}
