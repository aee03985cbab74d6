//! Where channels are sent over and dropped: on the main thread alone, and under no lock, since Tauri may wait for that
//! thread there.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use tauri::ipc::Channel;
use tokio::runtime::Handle;

use super::{HIDDEN_LIMIT, Opened, PROTOCOL, page};
use crate::{
    Failure, TaskContext, TaskFilter, TaskManager,
    session::{
        push_channel::PushChannel,
        sessions::{Departure, Sessions},
    },
};
use tauri_plugin_tasks_engine::delivery::assert_holds_no_lock;

const MAIN: &str = "main thread";

type Run = Box<dyn FnOnce() + Send>;

/// A thread that runs what it is sent, as the main thread does.
struct MainThread {
    send: Option<mpsc::Sender<Run>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl MainThread {
    fn new() -> Self {
        let (send, runs) = mpsc::channel::<Run>();
        let thread = thread::Builder::new().name(MAIN.into()).spawn(move || runs.iter().for_each(|run| run())).unwrap();
        Self { send: Some(send), thread: Some(thread) }
    }

    fn run_on(&self) -> Box<dyn Fn(Run) + Send + Sync> {
        let send = self.send.clone().unwrap();
        Box::new(move |run| send.send(run).unwrap())
    }

    /// Ends it once nothing can send to it any more. Fails if anything that it ran has panicked.
    fn join(mut self) {
        drop(self.send.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// What happened to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Sent,
    Dropped,
}

/// Reports that the channel that holds it was dropped.
struct Watched(mpsc::Sender<(Event, Option<String>)>);

impl Watched {
    fn report(&self, event: Event) {
        assert_holds_no_lock();
        self.0.send((event, thread::current().name().map(str::to_owned))).unwrap();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.report(Event::Dropped);
    }
}

/// The sessions of an app, and what happens to the channels that they are opened with.
struct App {
    main: MainThread,
    sessions: Arc<Sessions>,
    tasks: TaskManager,
    report: mpsc::Sender<(Event, Option<String>)>,
    events: mpsc::Receiver<(Event, Option<String>)>,
}

impl App {
    fn new() -> Self {
        let main = MainThread::new();
        let sessions = Arc::new(Sessions::new(HIDDEN_LIMIT, Box::new(|_| true), main.run_on()));
        let (report, events) = mpsc::channel();
        Self { main, sessions, tasks: TaskManager::new(Handle::current()), report, events }
    }

    fn open(&self, name: &str, protocol: u32, label: &str) -> bool {
        let watched = Watched(self.report.clone());
        let channel = Channel::new(move |_| {
            watched.report(Event::Sent);
            Ok(())
        });
        let channel = PushChannel::new(channel, self.main.run_on());
        self.sessions.open(name, protocol, &page(label), &self.tasks, channel).is_ok()
    }

    /// Returns the next event of a channel, and checks where it happened.
    async fn next(&mut self) -> Event {
        // The pumps run on this thread, so it must not block.
        loop {
            if let Ok((event, thread)) = self.events.try_recv() {
                assert_eq!(thread.as_deref(), Some(MAIN), "{event:?}");
                return event;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn dropped(&mut self, count: usize) {
        for _ in 0..count {
            assert_eq!(self.next().await, Event::Dropped);
        }
    }
}

#[tokio::test]
async fn a_channel_is_dropped_on_the_main_thread_however_its_call_or_its_session_ends() {
    let mut app = App::new();
    // Refused.
    assert!(!app.open("s", PROTOCOL + 1, "main"));
    assert!(!app.open("", PROTOCOL, "main"));
    app.dropped(2).await;
    // The first, and the repeats that are accepted.
    for _ in 0..9 {
        assert!(app.open("s", PROTOCOL, "main"));
    }
    assert!(!app.open("s", PROTOCOL, "main"), "repeated too often");
    assert!(!app.open("s", PROTOCOL, "other"), "taken");
    app.dropped(2).await;
    // The page reloads.
    app.sessions.close_page("main", Departure::Reloads);
    app.dropped(9).await;
    assert!(!app.open("s", PROTOCOL, "main"), "closed");
    app.dropped(1).await;
    // The window closes.
    assert!(app.open("t", PROTOCOL, "main") && app.open("t", PROTOCOL, "main"));
    app.sessions.webview_closed(&page("main"), &app.tasks);
    app.dropped(2).await;
    assert!(app.open("u", PROTOCOL, "main") && app.open("u", PROTOCOL, "main"));
    app.sessions.close_all();
    app.dropped(2).await;
    drop((app.sessions, app.tasks));
    app.main.join();
}

#[tokio::test]
async fn messages_are_sent_on_the_main_thread() {
    let mut app = App::new();
    assert!(app.open("s", PROTOCOL, "main"));
    let session = app.sessions.get("s", &page("main")).unwrap();
    let task = app.tasks.spawn("work", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    let view = super::View::new(page("main"), super::Scope::everything());
    session.list(0, &TaskFilter::default(), view, None).unwrap();
    task.cancel().unwrap();
    assert_eq!(app.next().await, Event::Sent);
    session.acknowledge(1).await.unwrap();
    drop(session);
    app.sessions.close_page("main", Departure::Reloads);
    while app.next().await != Event::Dropped {}
    drop((app.sessions, app.tasks));
    app.main.join();
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_whose_channel_cannot_send_or_whose_main_thread_runs_nothing_more() {
    let run_now = || Box::new(|run: Run| run()) as Box<dyn Fn(Run) + Send + Sync>;
    let forget = || Box::new(|run: Run| drop(run)) as Box<dyn Fn(Run) + Send + Sync>;
    for (fails, run) in [(true, run_now()), (false, forget())] {
        let channel = Channel::new(move |_| if fails { Err(tauri::Error::WebviewNotFound) } else { Ok(()) });
        let app = Opened::new();
        app.sessions.open("t", PROTOCOL, &page("main"), &app.tasks, PushChannel::new(channel, run)).unwrap();
        let session = app.sessions.get("t", &page("main")).unwrap();
        let task = app.tasks.spawn("work", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
        let view = super::View::new(page("main"), super::Scope::everything());
        session.list(0, &TaskFilter::default(), view, None).unwrap();
        task.cancel().unwrap();
        session.closed.cancelled().await;
        assert!(app.sessions.get("t", &page("main")).is_err() && app.session().is_ok(), "fails: {fails}");
    }
}
