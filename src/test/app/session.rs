use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use serde_json::{Value, json};

use super::{invoke::Caller, message::TestMessage, page_error::PageError, patience::patiently};
use crate::session::message::PROTOCOL;

/// A session of a page that the test drives by hand: it takes each message and acknowledges it. See
/// [`TestPage::session`](super::TestPage::session).
///
/// The other methods of a page do that for the test. A session is for tests of what is sent when.
///
/// ```
/// use serde_json::json;
/// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, TaskId, TaskStatus, test};
///
/// async fn index(ctx: TaskContext, (): ()) -> Result<(), Failure> {
///     ctx.cancelled().await;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = test::app(Builder::new().task(Task::new("index", index)));
/// let page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "index" })).open();
/// let session = page.session("mine").await.unwrap();
/// let id = TaskId::new();
/// let start = json!({ "session": session.name(), "id": id, "task": "index", "input": null, "options": { "held": true } });
/// page.call("start", start).await.unwrap();
///
/// page.call("resume", json!({ "id": id })).await.unwrap();
/// let first = session.next_message().await;
/// assert_eq!((first.number(), &first.events()[0]["id"]), (1, &json!(id)));
///
/// // What happens before the acknowledgement comes in one message after it.
/// page.until_status(id, TaskStatus::Running).await.unwrap();
/// page.cancel(id).await.unwrap();
/// assert_eq!(page.outcome(id).await.unwrap().output::<()>().unwrap(), Some(()));
/// assert_eq!(session.messages().len(), 1);
/// session.acknowledge(first.number()).await.unwrap();
/// assert_eq!(session.end_of(&id.to_string()).await["status"], "completed");
/// # }
/// ```
pub struct TestSession {
    caller: Arc<Caller>,
    name: String,
    channel: u32,
    taken: AtomicUsize,
}

impl TestSession {
    /// Opens a session of this name over a channel of its own.
    pub(super) async fn open(caller: &Arc<Caller>, name: &str) -> Result<Self, PageError> {
        let session = Self {
            caller: Arc::clone(caller),
            name: name.to_owned(),
            channel: caller.next_channel(),
            taken: AtomicUsize::new(0),
        };
        let arguments = json!({ "session": name, "protocol": PROTOCOL, "channel": session.channel() });
        caller.call("open", arguments).await?;
        Ok(session)
    }

    /// Returns its name, which calls such as `start` take.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its channel as an argument of a call: `__CHANNEL__:` and a number.
    pub fn channel(&self) -> String {
        format!("__CHANNEL__:{}", self.channel)
    }

    /// Returns all messages that were pushed to it.
    pub fn messages(&self) -> Vec<TestMessage> {
        self.caller.pushed.over(self.caller.label(), self.channel)
    }

    /// Waits for the next message that was pushed to it and that this method has not returned yet. Panics after a minute
    /// without one. The plugin pushes no further message before this one is [acknowledged](Self::acknowledge).
    pub async fn next_message(&self) -> TestMessage {
        let what = || format!("a message to session \"{}\" of page \"{}\"", self.name, self.caller.label());
        let (caller, channel, place) = (Arc::clone(&self.caller), self.channel, self.taken.load(SeqCst));
        let next = async move { caller.pushed.nth(caller.label(), channel, place).await };
        let message = patiently(what, next).await;
        self.taken.store(place + 1, SeqCst);
        message
    }

    /// Does the same for as long as it takes.
    pub(super) async fn next_message_some_day(&self) -> TestMessage {
        let place = self.taken.load(SeqCst);
        let message = self.caller.pushed.nth(self.caller.label(), self.channel, place).await;
        self.taken.store(place + 1, SeqCst);
        message
    }

    /// Acknowledges message `number`. Returns the rest of what it had to tell, if that didn't fit.
    pub async fn acknowledge(&self, number: u64) -> Result<Option<TestMessage>, PageError> {
        let answer = self.caller.call("ack", json!({ "session": self.name, "message": number })).await?;
        Ok(TestMessage::new(&answer.to_string()))
    }

    /// Takes and acknowledges messages until one tells an event that `is_wanted`, and returns that event. Panics after a
    /// minute without one.
    pub async fn next_event(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut rest = None;
        loop {
            let message = self.take(&mut rest).await;
            if let Some(event) = message.events().iter().find(|event| is_wanted(event)) {
                return event.clone();
            }
        }
    }

    /// Takes and acknowledges messages until task `id` has ended. Returns all of its events until then.
    pub async fn events_until_end(&self, id: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut rest = None;
        loop {
            let message = self.take(&mut rest).await;
            events.extend(message.events().iter().filter(|event| event["id"] == id).cloned());
            if events.last().is_some_and(is_end) {
                return events;
            }
        }
    }

    /// Takes and acknowledges messages until task `id` has ended. Returns its last status change, with its `outcome`. If
    /// the task had ended when its start returned, no event tells of that, so this returns what the start has told.
    pub async fn end_of(&self, id: &str) -> Value {
        if let Some(mut answer) = self.caller.answer_with_end(id) {
            let (outcome, mut end) = (answer["outcome"].take(), answer["snapshot"].take());
            end["outcome"] = outcome;
            return end;
        }
        let mut events = self.events_until_end(id).await;
        events.pop().map_or(Value::Null, |mut end| end["change"]["data"].take())
    }

    /// Takes and acknowledges a message: the `rest` of the one before, or else the next. Leaves the rest of this one.
    async fn take(&self, rest: &mut Option<TestMessage>) -> TestMessage {
        let message = match rest.take() {
            Some(message) => message,
            None => self.next_message().await,
        };
        *rest = self.acknowledge(message.number()).await.unwrap_or_else(|error| {
            panic!("session \"{}\" of page \"{}\" can't go on: {error}", self.name, self.caller.label())
        });
        message
    }
}

/// Whether this event tells of the end of its task.
pub(super) fn is_end(event: &Value) -> bool {
    let status = &event["change"]["data"]["status"];
    event["change"]["type"] == "status"
        && ["completed", "failed", "cancelled", "timedOut"].iter().any(|end| status == end)
}
