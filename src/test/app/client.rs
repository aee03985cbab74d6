//! The client in a page: it keeps a session, and acknowledges each message at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::sync::Notify;

use super::{invoke::Caller, message::TestMessage, page_error::PageError, pushed::lock, session::TestSession};

/// The client of one document. It goes when the document leaves.
pub(super) struct Client {
    session: Arc<TestSession>,
    told: Arc<Told>,
    reads: tauri::async_runtime::JoinHandle<()>,
}

/// The events so far, by the ids of their tasks.
#[derive(Default)]
pub(super) struct Told {
    events: Mutex<HashMap<String, Vec<Value>>>,
    changed: Notify,
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
        let mut events = lock(&self.events);
        for event in message.events() {
            events.entry(event["id"].as_str().unwrap_or_default().to_owned()).or_default().push(event.clone());
        }
        drop(events);
        self.changed.notify_waiters();
    }

    /// Returns the events of a task so far.
    pub(super) fn of(&self, id: &str) -> Vec<Value> {
        lock(&self.events).get(id).cloned().unwrap_or_default()
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
