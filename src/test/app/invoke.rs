//! Calls commands as the document in a webview does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

use serde_json::Value;
use tauri::{
    Url, Webview,
    http::{HeaderMap, HeaderValue, header::ORIGIN},
    ipc::{CallbackFn, InvokeBody, InvokeError, InvokeResponse, InvokeResponseBody},
    test::{INVOKE_KEY, MockRuntime},
    webview::InvokeRequest,
};
use tokio::sync::oneshot;

use super::{
    document::origin,
    page_error::PageError,
    patience::patiently,
    pushed::{Pushed, lock},
};

/// A webview, and what its document has been told.
pub(super) struct Caller {
    pub(super) webview: Webview<MockRuntime>,
    pub(super) pushed: Arc<Pushed>,
    url: Mutex<Url>,
    is_closed: AtomicBool,
    channels: AtomicU32,
    /// The answers of starts whose tasks had already ended, by id.
    ended: Mutex<BTreeMap<String, Value>>,
}

impl Caller {
    pub(super) fn new(webview: Webview<MockRuntime>, url: Url, pushed: Arc<Pushed>) -> Self {
        Self {
            webview,
            pushed,
            url: Mutex::new(url),
            is_closed: AtomicBool::new(false),
            channels: AtomicU32::new(1),
            ended: Mutex::default(),
        }
    }

    pub(super) fn label(&self) -> &str {
        self.webview.label()
    }

    pub(super) fn url(&self) -> Url {
        lock(&self.url).clone()
    }

    pub(super) fn set_url(&self, url: Url) {
        *lock(&self.url) = url;
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, SeqCst);
    }

    /// Returns the number of a channel that no session of the page has used.
    pub(super) fn next_channel(&self) -> u32 {
        self.channels.fetch_add(1, SeqCst)
    }

    pub(super) async fn call(&self, command: &str, arguments: Value) -> Result<Value, PageError> {
        self.call_from(self.url(), command, arguments).await
    }

    /// Calls a command in a request that says that it comes from `url`.
    pub(super) async fn call_from(&self, url: Url, command: &str, arguments: Value) -> Result<Value, PageError> {
        let body = self.invoke(url, command, arguments).await?;
        let answer: Value = body.deserialize().unwrap_or_else(|error| {
            panic!("the answer of {command} isn't JSON: {error}; TestPage::call_raw returns its bytes")
        });
        self.note(&answer);
        Ok(answer)
    }

    pub(super) async fn invoke(
        &self,
        url: Url,
        command: &str,
        arguments: Value,
    ) -> Result<InvokeResponseBody, PageError> {
        let label = self.label();
        assert!(
            !self.is_closed.load(SeqCst),
            "page \"{label}\" was closed, so it can't call {command}: open another page"
        );
        let (tell, told) = oneshot::channel();
        let request = InvokeRequest {
            cmd: format!("plugin:tasks|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            headers: HeaderMap::from_iter([(ORIGIN, origin_header(&url))]),
            url,
            body: InvokeBody::Json(arguments),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let respond = move |_, _, response, _, _| {
            let _ = tell.send(response);
        };
        self.webview.clone().on_message(request, Box::new(respond));
        match patiently(|| format!("the answer of {command} to page \"{label}\""), told).await {
            Ok(InvokeResponse::Ok(body)) => Ok(body),
            Ok(InvokeResponse::Err(InvokeError(error))) => Err(PageError(error)),
            Err(oneshot::error::RecvError { .. }) => {
                panic!("{command} did not answer page \"{label}\": it has panicked, as the output of the test says")
            }
        }
    }

    /// Remembers the answer of a start whose task has already ended: no event tells of that end.
    fn note(&self, answer: &Value) {
        if let Some(id) = answer["snapshot"]["id"].as_str()
            && !answer["snapshot"]["endedAt"].is_null()
        {
            lock(&self.ended).insert(id.to_owned(), answer.clone());
        }
    }

    /// Returns the answer of the start of this task if the task had ended by then.
    pub(super) fn answer_with_end(&self, id: &str) -> Option<Value> {
        lock(&self.ended).get(id).cloned()
    }
}

/// Returns what a webview puts into the header `Origin` of a call from this URL.
fn origin_header(url: &Url) -> HeaderValue {
    HeaderValue::from_str(&origin(url)).unwrap_or_else(|error| panic!("{url} has no origin: {error}"))
}
