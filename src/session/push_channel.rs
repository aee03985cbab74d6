//! The channel over which the messages of a session are pushed to its page. It never waits.
//!
//! Tauri evaluates a script in the page for each message, and another one when a channel is dropped. With Tauri's feature
//! `tracing`, the thread that does so waits until the main thread has evaluated it. So both are left to the main thread,
//! where nothing waits.

use std::fmt;

use tauri::{
    Manager, Runtime,
    ipc::{Channel, CommandArg, CommandItem, InvokeError},
};
use tauri_plugin_tasks_engine::delivery::{Refusal, assert_holds_no_lock};
use tokio_util::sync::CancellationToken;

use super::message::MessageText;
use crate::Error;

/// Runs this on the app's main thread once that has time for it, or drops it if the app is ending. Returns before that,
/// unless it is called there.
pub(crate) type RunOnMainThread = Box<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

pub(crate) struct PushChannel {
    /// `None` once it was dropped.
    channel: Option<Channel<MessageText>>,
    run_on_main_thread: RunOnMainThread,
    broken: CancellationToken,
}

impl PushChannel {
    pub(crate) fn new(channel: Channel<MessageText>, run_on_main_thread: RunOnMainThread) -> Self {
        Self { channel: Some(channel), run_on_main_thread, broken: CancellationToken::new() }
    }

    /// Creates one that sends and drops on the thread that calls.
    #[cfg(test)]
    pub(crate) fn at_once(channel: Channel<MessageText>) -> Self {
        Self::new(channel, Box::new(|run| run()))
    }

    /// Lets the main thread send `message`, after those of earlier calls. If that fails, the channel is [broken](Self::broken).
    pub(super) fn send(&self, message: MessageText) {
        assert_holds_no_lock();
        let Some(channel) = self.channel.clone() else { return };
        let unless_sent = self.broken.clone().drop_guard();
        (self.run_on_main_thread)(Box::new(move || {
            if channel.send(message).is_ok() {
                unless_sent.disarm();
            }
        }));
    }

    /// Waits until a message can't be sent, because the app is ending or the webview has closed.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }
}

impl Drop for PushChannel {
    fn drop(&mut self) {
        assert_holds_no_lock();
        let channel = self.channel.take();
        (self.run_on_main_thread)(Box::new(move || drop(channel)));
    }
}

impl fmt::Debug for PushChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushChannel").finish_non_exhaustive()
    }
}

/// The page passes it as a `Channel`. It is one from the beginning, since a call may be refused for its other arguments.
impl<'de, R: Runtime> CommandArg<'de, R> for PushChannel {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let app = command.message.webview_ref().app_handle().clone();
        // Tauri's own error would repeat the text, however long it is.
        let channel = Channel::from_command(command).map_err(|_| InvokeError::from(no_channel()))?;
        // It fails if the app is ending, and drops what it would have run.
        Ok(Self::new(channel, Box::new(move |run| drop(app.run_on_main_thread(run)))))
    }
}

/// Returns the error for an argument that is no channel.
fn no_channel() -> Error {
    let problem = "it is no channel: pass a Channel of @tauri-apps/api".to_owned();
    Refusal::InvalidOptions { path: "channel".to_owned(), problem }.into()
}

#[cfg(test)]
impl specta::function::FunctionArg for PushChannel {
    fn to_datatype(types: &mut specta::Types) -> Option<specta::datatype::DataType> {
        Channel::<MessageText>::to_datatype(types)
    }
}
