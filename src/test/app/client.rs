//! The client in a page: it keeps a session, and acknowledges each message at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{invoke::Caller, message::TestMessage, page_error::PageError, pushed::lock, session::TestSession};

/// The client of one document. It goes when the document leaves.
pub(super) struct Client {
    session: Arc<TestSession>,
    told: Arc<Told>,
    reads: tauri::async_runtime::JoinHandle<()>,
}

/// What was told so far, by the ids of the tasks.
#[derive(Default)]
pub(super) struct Told {
    tasks: Mutex<HashMap<String, Events>>,
    changed: Notify,
}

/// What was told of a task.
#[derive(Default)]
struct Events {
    /// What the call has returned with which the document began to follow it, as an event.
    first: Option<Value>,
    pushed: Vec<Value>,
}

impl Client {
    pub(super) async fn open(caller: &Arc<Caller>, name: &str) -> Result<Self, PageError> {
        let session = Arc::new(TestSession::open(caller, name).await?);
        let told = Arc::new(Told::default());
        let reads = tauri::async_runtime::spawn(read(Arc::clone(&session), Arc::clone(&told)));
        Ok(Self { session, told, reads })
    }

    pub(super) fn session(&self) -> &str {
        self.session.name()
    }

    pub(super) fn told(&self) -> &Arc<Told> {
        &self.told
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reads.abort();
    }
}

/// Reads the messages of a session until it is closed.
async fn read(session: Arc<TestSession>, told: Arc<Told>) {
    let mut rest = None;
    loop {
        let message = match rest.take() {
            Some(message) => message,
            None => session.next_message_some_day().await,
        };
        told.add(&message);
        match session.acknowledge(message.number()).await {
            Ok(next) => rest = next,
            Err(_) => return,
        }
    }
}

impl Told {
    fn add(&self, message: &TestMessage) {
        let mut tasks = lock(&self.tasks);
        for event in message.events() {
            tasks.entry(event["id"].as_str().unwrap_or_default().to_owned()).or_default().pushed.push(event.clone());
        }
        drop(tasks);
        self.changed.notify_waiters();
    }

    /// Lets the events of a task begin with the state that a call has returned. If the document follows it already, this does
    /// nothing.
    pub(super) fn begin(&self, snapshot: &Value, outcome: &Value) {
        let id = snapshot["id"].as_str().unwrap_or_default().to_owned();
        lock(&self.tasks).entry(id).or_default().first.get_or_insert_with(|| status_event(snapshot, outcome));
        self.changed.notify_waiters();
    }

    /// Returns the events of a task so far. There are none before the call has returned with which the document began to follow
    /// it, since a message may overtake the answer.
    pub(super) fn of(&self, id: &str) -> Vec<Value> {
        let tasks = lock(&self.tasks);
        let events = tasks.get(id).and_then(|events| Some((events.first.as_ref()?, &events.pushed)));
        events.map_or_else(Vec::new, |(first, pushed)| std::iter::once(first).chain(pushed).cloned().collect())
    }

    /// Returns event number `place` of a task, from 0, once it was told.
    pub(super) async fn nth(&self, id: &str, place: usize) -> Value {
        loop {
            let changed = self.changed.notified();
            if let Some(event) = self.of(id).into_iter().nth(place) {
                return event;
            }
            changed.await;
        }
    }
}

/// Returns the event that tells of the status in a snapshot.
fn status_event(snapshot: &Value, outcome: &Value) -> Value {
    let times = [&snapshot["endedAt"], &snapshot["startedAt"], &snapshot["createdAt"]];
    let mut change = json!({
        "at": times.into_iter().find(|time| !time.is_null()),
        "outcome": outcome,
    });
    for field in ["status", "attempt", "cancelReason", "timeLimit", "overdue", "nextAttemptAt", "endedAt", "error"] {
        change[field] = snapshot[field].clone();
    }
    json!({ "id": snapshot["id"], "sequence": snapshot["sequence"], "change": { "type": "status", "data": change } })
}
