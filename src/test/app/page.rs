use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use serde::Serialize;
use serde_json::{Value, json};
use tauri::{Manager, Url, Webview, ipc::InvokeResponseBody, test::MockRuntime};

use super::{
    client::Client,
    document::{document_url, origin},
    invoke::Caller,
    items,
    page_error::PageError,
    patience::{patiently, until_some},
    pushed::{Pushed, lock},
    session::{TestSession, is_end},
    shares::{Shares, call_id},
};
use crate::{Outcome, TaskId, TaskStatus, app::hooks};

/// A page of a [`TestApp`](super::TestApp): a window whose document calls the plugin.
///
/// Each call goes the way of a real one, through Tauri's access control to the command and back. As a page with the npm
/// package would, it opens a session with the first call that needs one, is told of its tasks and acknowledges what it is
/// told.
///
/// ```
/// use serde_json::json;
/// use tauri_plugin_tasks::{Builder, Failure, Outcome, Task, TaskContext, TaskStatus, test};
///
/// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
///     Ok(number * 2)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = test::app(Builder::new().task(Task::new("double", double)));
/// let page = app
///     .page("main")
///     .allow(["tasks:default"])
///     .scope("tasks:allow-start", json!({ "task": "double" }))
///     .open();
/// let id = page.start("double", 21, json!({})).await.unwrap();
/// assert_eq!(page.outcome(id).await.unwrap().output::<u32>().unwrap(), Some(42));
///
/// // Another window neither sees the task nor starts one of its kind.
/// let other = app.page("other").allow(["tasks:default"]).open();
/// assert_eq!(other.status(id).await.unwrap_err().kind(), Some("notFound"));
/// assert_eq!(other.start("double", 21, json!({})).await.unwrap_err().kind(), Some("notAllowed"));
/// # }
/// ```
pub struct TestPage {
    caller: Arc<Caller>,
    client: tokio::sync::Mutex<Option<Arc<Client>>>,
    /// The number of the next session.
    sessions: AtomicU64,
    /// How many events of a task [`next_event`](Self::next_event) has returned.
    taken: Mutex<std::collections::HashMap<TaskId, usize>>,
    shares: Mutex<Shares>,
}

impl TestPage {
    pub(super) fn new(webview: Webview<MockRuntime>, url: Url, pushed: Arc<Pushed>) -> Self {
        let caller = Arc::new(Caller::new(webview, url, pushed));
        Self {
            caller,
            client: tokio::sync::Mutex::default(),
            sessions: AtomicU64::new(1),
            taken: Mutex::default(),
            shares: Mutex::default(),
        }
    }

    /// Returns the label of its webview, which is also that of its window.
    pub fn label(&self) -> &str {
        self.caller.label()
    }

    /// Returns its webview.
    pub fn webview(&self) -> &Webview<MockRuntime> {
        &self.caller.webview
    }

    // Tasks.

    /// Starts a task of the kind `task`, with options as the client sends them, such as `{ "key": "k" }`. Returns the id
    /// of the task that the start has led to: its own, or one that it has joined.
    pub async fn start(&self, task: &str, input: impl Serialize, options: Value) -> Result<TaskId, PageError> {
        let client = self.client().await?;
        let input = serde_json::to_value(input)
            .unwrap_or_else(|error| panic!("the input of \"{task}\" can't be serialized: {error}"));
        let arguments = json!({ "session": client.session(), "id": TaskId::new(), "task": task, "input": input, "options": options });
        let started = self.call("start", arguments).await?;
        Ok(id_of(&started["snapshot"]))
    }

    /// Gives back the share in a task of the newest call of this page that has started or joined it, as the client does when
    /// the `signal` of that call is aborted. If nobody else has a share in it, the task is cancelled with the reason `signal`.
    /// A page that doesn't own the task is no longer told of it once all of its calls have left. Panics if no call of this page
    /// has a share in it: each [`start`](Self::start) has one, and gives it back once. A document of another origin, to
    /// which the page has [navigated](Self::navigate), has none of the shares from before.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, CancelReason, Failure, Outcome, Task, TaskContext, TaskStatus, test};
    ///
    /// async fn index(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("index", index)));
    /// let open = |label| {
    ///     let page = app.page(label).allow(["tasks:default"]);
    ///     page.scope("tasks:allow-start", json!({ "task": "index", "owner": "any" })).open()
    /// };
    /// let (main, side) = (open("main"), open("side"));
    /// let options = json!({ "key": "all", "onConflict": "join" });
    /// let id = main.start("index", (), options.clone()).await.unwrap();
    /// assert_eq!(side.start("index", (), options).await.unwrap(), id, "it joins the same task");
    ///
    /// side.leave(id).await.unwrap();
    /// assert!(!main.status(id).await.unwrap().is_final(), "main still has a share in it");
    /// main.leave(id).await.unwrap();
    /// let outcome = main.outcome(id).await.unwrap();
    /// assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::Signal, .. }));
    /// # }
    /// ```
    pub async fn leave(&self, id: TaskId) -> Result<(), PageError> {
        let origin = origin(&self.caller.url());
        let call = lock(&self.shares).newest(&origin, id);
        let call = call.unwrap_or_else(|| {
            panic!(
                "page \"{}\" has no share in task {id} to give back: each call that starts or joins a task has one, until it \
                 is given back. A document of {origin} has those of its own origin alone",
                self.label()
            )
        });
        self.call("leave", json!({ "id": call })).await.map(drop)
    }

    /// Tells a task to stop, as the user.
    pub async fn cancel(&self, id: TaskId) -> Result<(), PageError> {
        self.call("cancel", json!({ "id": id, "reason": "user" })).await.map(drop)
    }

    /// Returns the status of a task.
    pub async fn status(&self, id: TaskId) -> Result<TaskStatus, PageError> {
        let snapshot = self.snapshot(id).await?;
        Ok(serde_json::from_value(snapshot["status"].clone())
            .unwrap_or_else(|error| panic!("a status that isn't known: {error}: {snapshot}")))
    }

    /// Returns the snapshot of a task.
    pub async fn snapshot(&self, id: TaskId) -> Result<Value, PageError> {
        self.call("get", json!({ "id": id })).await
    }

    /// Returns the snapshots of the tasks that the page sees and that match `filter`, such as `{ "status": ["running"] }`,
    /// oldest first. Each field is a list, as the client sends it: a single value, which the client takes too, is refused.
    pub async fn list(&self, filter: Value) -> Result<Vec<Value>, PageError> {
        let mut answer = self.call("list", json!({ "filter": filter, "limit": 10_000 })).await?;
        Ok(serde_json::from_value(answer["tasks"].take()).unwrap_or_default())
    }

    /// Waits until a task has this status. Panics after a minute, or if it ends with another one.
    pub async fn until_status(&self, id: TaskId, status: TaskStatus) -> Result<(), PageError> {
        let what = || format!("task {id} of page \"{}\" to be {status:?}", self.label());
        until_some(what, async || match self.status(id).await {
            Ok(now) if now == status => Some(Ok(())),
            Ok(now) => {
                assert!(!now.is_final(), "task {id} has ended as {now:?} and not as {status:?}");
                None
            }
            Err(error) => Some(Err(error)),
        })
        .await
    }

    /// Waits for a task to end and returns its outcome. Panics after a minute: time that a handler or the engine waits can
    /// be skipped with [`TestApp::advance`](super::TestApp::advance).
    pub async fn outcome(&self, id: TaskId) -> Result<Outcome, PageError> {
        let what = || format!("the outcome of task {id}. If it waits for a time, call TestApp::advance before");
        let outcome = until_some(what, async || match self.call("outcome", json!({ "id": id })).await {
            Ok(Value::Null) => None,
            answer => Some(answer),
        })
        .await?;
        Ok(serde_json::from_value(outcome).unwrap_or_else(|error| panic!("an outcome that can't be read: {error}")))
    }

    /// Reads all items of a task until it has ended. Panics after a minute.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, test};
    ///
    /// async fn count(ctx: TaskContext<(), u32>, to: u32) -> Result<(), Failure> {
    ///     for number in 0..to {
    ///         ctx.emit(number).await;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("count", count)));
    /// let page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "count" })).open();
    /// let id = page.start("count", 3, json!({})).await.unwrap();
    /// assert_eq!(page.items(id).await.unwrap(), [0, 1, 2]);
    /// # }
    /// ```
    pub async fn items(&self, id: TaskId) -> Result<Vec<Value>, PageError> {
        items::items(&self.caller, self.client().await?.session(), id).await
    }

    /// Reads all bytes of a task until it has ended. Panics after a minute.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, Bytes, Failure, Task, TaskContext, test};
    ///
    /// async fn fetch(ctx: TaskContext<(), Bytes>, (): ()) -> Result<(), Failure> {
    ///     ctx.emit_bytes(b"PNG").await;
    ///     ctx.emit_bytes(&[0, 1]).await;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("fetch", fetch)));
    /// let page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "fetch" })).open();
    /// let id = page.start("fetch", (), json!({})).await.unwrap();
    /// assert_eq!(page.bytes(id).await.unwrap(), b"PNG\0\x01");
    /// # }
    /// ```
    pub async fn bytes(&self, id: TaskId) -> Result<Vec<u8>, PageError> {
        items::bytes(&self.caller, self.client().await?.session(), id).await
    }

    // Events.

    /// Follows a task that the document has not started itself, such as one from before a reload. Returns its snapshot.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, test};
    ///
    /// async fn index(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("index", index)));
    /// let mut page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "index" })).open();
    /// let id = page.start("index", (), json!({})).await.unwrap();
    /// page.reload();
    /// assert!(page.events(id).is_empty(), "the new document follows no task yet");
    /// let snapshot = page.watch(id).await.unwrap();
    /// assert_eq!(snapshot["task"], "index");
    /// page.cancel(id).await.unwrap();
    /// while page.next_event(id).await.unwrap()["change"]["data"]["status"] != "cancelled" {}
    /// # }
    /// ```
    pub async fn watch(&self, id: TaskId) -> Result<Value, PageError> {
        let target = json!({ "type": "task", "data": { "id": id } });
        let session = self.client().await?.session().to_owned();
        let mut snapshots = self.call("watch", json!({ "session": session, "target": target })).await?;
        Ok(snapshots[0].take())
    }

    /// Returns the events of a task that the document was told so far: changes of its status and new progress. The first one
    /// is the status that the call has returned with which the document began to follow the task: see
    /// [`next_event`](Self::next_event).
    pub fn events(&self, id: TaskId) -> Vec<Value> {
        let client = self.client.try_lock().ok().and_then(|client| client.clone());
        client.map_or_else(Vec::new, |client| client.told().of(&id.to_string()))
    }

    /// Waits for the next event of a task that this method has not returned since the document was loaded. The document
    /// must have started or [watched](Self::watch) the task, and not by [`call_raw`](Self::call_raw) or
    /// [`call_from`](Self::call_from). Panics after a minute, and if nothing can follow: the task has
    /// ended.
    ///
    /// The first event is the status that the start or the watch has returned, as the `onStatus` of the client is called right
    /// after them. How far the task has come by then depends on its handler: it may be `queued`, `running` or at its end. So
    /// no status is missed from there on, and a loop that waits for the last one ends however fast the handler is.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, test};
    /// # async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> { Ok(number * 2) }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let app = test::app(Builder::new().task(Task::new("double", double)));
    /// # let page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "double" })).open();
    /// let id = page.start("double", 21, json!({})).await.unwrap();
    /// loop {
    ///     let change = &page.next_event(id).await.unwrap()["change"];
    ///     if change["type"] == "status" && change["data"]["status"] == "completed" {
    ///         break;
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn next_event(&self, id: TaskId) -> Result<Value, PageError> {
        let (client, name) = (self.client().await?, id.to_string());
        let place = lock(&self.taken).get(&id).copied().unwrap_or_default();
        let has_ended = client.told().of(&name).get(..place).and_then(<[Value]>::last).is_some_and(is_end);
        assert!(!has_ended, "task {id} has ended, so no event follows: TestPage::outcome tells how");
        let what = || {
            format!(
                "an event of task {id}. Has page \"{}\" started it other than by call_raw or call_from, or watched it?",
                self.label()
            )
        };
        let told = Arc::clone(client.told());
        let event = patiently(what, async move { told.nth(&name, place).await }).await;
        lock(&self.taken).insert(id, place + 1);
        Ok(event)
    }

    // Calls.

    /// Calls a command of the plugin by its name in Rust, such as `set_priority`, with the arguments that the client sends.
    /// Returns its answer, which is `null` if none is listed here. An argument in brackets may be left out.
    ///
    /// | command | arguments | answer |
    /// | --- | --- | --- |
    /// | `start` | `session`, `id`, `task`, `input`, `options` | `{ snapshot, outcome }` |
    /// | `rerun` | `session`, `id`, `newId` | `{ snapshot, outcome }` |
    /// | `batch` | `session`, `id`, `task`, `inputs`, `options` | `{ snapshot, outcome }` |
    /// | `leave` | `id`: that of the call to give back the share of | |
    /// | `get` | `id` | the snapshot |
    /// | `list` | `filter`, \[`limit`\], \[`after`\] | `{ tasks, next }` |
    /// | `outcome` | `id` | the outcome, or `null` if there is none yet |
    /// | `remove` | `id` | |
    /// | `cancel` | `id`, `reason` | |
    /// | `cancel_all` | `filter`, `reason` | how many had not ended |
    /// | `pause`, `resume` | `id` | |
    /// | `set_priority` | `id`, `priority` | |
    /// | `set_limit` | `of`, `limit`: a number or `null` | |
    /// | `counts` | | the counts by kind |
    /// | `read` | `session`, `id`, `reader`, `chunk`, `from`, `waitMs` | a chunk, or `null` |
    /// | `cancel_read` | `session`, `id`, `reader`, `position` | |
    /// | `schedules` | | the snapshots of the schedules |
    /// | `trigger` | `name`, `id` | the snapshot of the run |
    /// | `pause_schedule`, `resume_schedule` | `name` | |
    /// | `open` | `session`, `protocol`, `channel`, \[`visibility`\] | `{ protocol, leaseMs }` |
    /// | `ack` | `session`, `message`, \[`visibility`\] | the rest of the message, or `null` |
    /// | `watch` | `session`, `target`, \[`everyMs`\] | the snapshots |
    /// | `unwatch` | `session`, `target` | |
    ///
    /// - The `id` of `start`, `batch` and `trigger`, and `newId`, are new: [`TaskId::new`]. All others name a task.
    /// - `session` is [`session_name`](Self::session_name), or that of a [`session`](Self::session).
    /// - `target` is `{ "type": "task", "data": { "id": … } }` or
    ///   `{ "type": "list", "data": { "watch": 1, "filter": {} } }`, with a number that the page chooses.
    /// - `filter`, `options` and `of` are [`TaskFilter`](crate::TaskFilter), [`StartOptions`](crate::StartOptions) or
    ///   [`BatchOptions`](crate::BatchOptions), and [`LimitOf`](crate::LimitOf) as JSON, with names in camelCase.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, test};
    ///
    /// async fn index(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("index", index)));
    /// let page = app.page("main").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "index" })).open();
    /// let id = page.start("index", (), json!({ "held": true })).await.unwrap();
    /// page.call("set_priority", json!({ "id": id, "priority": 5 })).await.unwrap();
    /// assert_eq!(page.snapshot(id).await.unwrap()["queue"]["priority"], 5);
    /// // No capability of this window allows it.
    /// assert!(page.call("counts", json!({})).await.unwrap_err().is_of_tauri());
    /// # }
    /// ```
    pub async fn call(&self, command: &str, arguments: Value) -> Result<Value, PageError> {
        let call = call_id(command, &arguments);
        let given_back = (command == "leave").then(|| arguments["id"].clone());
        let follows = match command {
            "start" | "rerun" | "batch" => true,
            "watch" => arguments["target"]["type"] == "task",
            _ => false,
        };
        let session = follows.then(|| arguments["session"].clone());
        let origin = origin(&self.caller.url());
        let answer = self.caller.call(command, arguments).await?;
        if let Some(call) = call {
            lock(&self.shares).add(&origin, id_of(started(&answer)), call);
        }
        if let Some(call) = given_back.as_ref().and_then(Value::as_str) {
            lock(&self.shares).remove(&origin, call);
        }
        if let Some(session) = session {
            self.note_first(&session, answer.get(0).unwrap_or(&answer)).await;
        }
        Ok(answer)
    }

    /// Lets the events of a task that the document begins to follow begin with the state that the call has returned.
    async fn note_first(&self, session: &Value, answer: &Value) {
        let client = self.client.lock().await.clone();
        if let Some(client) = client.filter(|client| session == client.session()) {
            client.told().begin(started(answer), &answer["outcome"]);
        }
    }

    /// Calls a command and returns its answer as it travels: JSON, or bytes. The page takes no notice of what it says:
    /// the document has [events](Self::events) of a task that is started so once it [watches](Self::watch) the task,
    /// and [`leave`](Self::leave) knows nothing of its share.
    pub async fn call_raw(&self, command: &str, arguments: Value) -> Result<InvokeResponseBody, PageError> {
        self.caller.invoke(self.caller.url(), command, arguments).await
    }

    /// Calls a command in a request that comes from `url`, as a frame in the document does: its header `Origin` says so. The
    /// plugin answers a frame of another origin with `notAllowed`, even if a capability is for that origin. The page
    /// takes no notice of the answer, as with [`call_raw`](Self::call_raw). Panics if `url` is neither a URL with a
    /// host nor a path that begins with `/`.
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, test};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new());
    /// app.capability(
    ///     r#"{ "identifier": "main", "windows": ["main"], "permissions": ["tasks:default"],
    ///         "remote": { "urls": ["https://ads.example/*"] } }"#,
    /// );
    /// let page = app.page("main").open();
    /// let list = json!({ "filter": {} });
    /// assert!(page.call("list", list.clone()).await.is_ok());
    /// let refused = page.call_from("https://ads.example/frame", "list", list).await.unwrap_err();
    /// assert_eq!(refused.kind(), Some("notAllowed"));
    /// # }
    /// ```
    pub async fn call_from(&self, url: &str, command: &str, arguments: Value) -> Result<Value, PageError> {
        self.caller.call_from(document_url(url), command, arguments).await
    }

    /// Returns the name of the session that the page has as a client, for arguments of [`call`](Self::call). Opens it with
    /// the first call.
    pub async fn session_name(&self) -> Result<String, PageError> {
        Ok(self.client().await?.session().to_owned())
    }

    /// Opens a session of this name that the test drives by hand.
    pub async fn session(&self, name: &str) -> Result<TestSession, PageError> {
        TestSession::open(&self.caller, name).await
    }

    // Documents.

    /// Loads the document again: the old one leaves without a word. Its sessions are closed, and its tasks live on.
    pub fn reload(&mut self) {
        self.loads(self.caller.url());
    }

    /// Loads another document in the same webview: a URL such as `https://help.example/x`, or the path of a document of the
    /// app such as `/settings.html`. Panics if it is neither a URL with a host nor a path that begins with `/`. Permissions for
    /// its origin must come from [`TestApp::capability`](super::TestApp::capability).
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, test};
    ///
    /// async fn index(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("index", index)));
    /// app.capability(
    ///     r#"{ "identifier": "main", "windows": ["main"], "remote": { "urls": ["https://help.example/*"] },
    ///         "permissions": ["tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "index" }] }] }"#,
    /// );
    /// let mut page = app.page("main").open();
    /// let id = page.start("index", (), json!({})).await.unwrap();
    /// page.navigate("https://help.example/topics");
    /// assert_eq!(page.status(id).await.unwrap_err().kind(), Some("notFound"), "it belongs to another origin");
    /// page.navigate("/settings.html");
    /// assert!(!page.status(id).await.unwrap().is_final(), "the app's documents share what they have started");
    /// # }
    /// ```
    pub fn navigate(&mut self, url: &str) {
        let url = document_url(url);
        self.caller.webview.navigate(url.clone()).unwrap_or_else(|error| panic!("it can't load {url}: {error}"));
        self.loads(url);
    }

    fn loads(&mut self, url: Url) {
        *self.client.get_mut() = None;
        lock(&self.taken).clear();
        hooks::page_load_started(&self.caller.webview, &url);
        self.caller.set_url(url);
    }

    /// Closes the window, as its close button does. The app goes on even if it was the last one: see
    /// [`TestApp::exit`](super::TestApp::exit).
    ///
    /// ```
    /// use serde_json::json;
    /// use tauri_plugin_tasks::{Builder, CancelReason, Failure, OnOwnerClosed, Outcome, Task, TaskContext, test};
    ///
    /// async fn preview(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("preview", preview).on_owner_closed(OnOwnerClosed::Cancel)));
    /// let page = app.page("side").allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "preview" })).open();
    /// let id = page.start("preview", (), json!({})).await.unwrap();
    /// page.close();
    /// let outcome = app.tasks().handle(id).unwrap().outcome().await;
    /// assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::OwnerClosed, .. }));
    /// # }
    /// ```
    pub fn close(self) {
        let webview = &self.caller.webview;
        self.caller.close();
        // The mock runtime tells of no window that is destroyed, so what Tauri would do is done here.
        let _ = webview.close();
        let _ = webview.window().destroy();
        hooks::window_destroyed(webview.app_handle(), webview.label());
    }

    /// Returns the client, whose session is opened if this is the first call.
    async fn client(&self) -> Result<Arc<Client>, PageError> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let name = format!("{}-{}", self.label(), self.sessions.fetch_add(1, Relaxed));
        let opened = Arc::new(Client::open(&self.caller, &name).await?);
        *client = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

/// Returns the snapshot in the answer of a call, which is a snapshot or has one.
fn started(answer: &Value) -> &Value {
    answer.get("snapshot").unwrap_or(answer)
}

/// Returns the id in a snapshot.
fn id_of(snapshot: &Value) -> TaskId {
    let id = snapshot["id"].as_str().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| panic!("a snapshot without an id: {snapshot}"))
}
