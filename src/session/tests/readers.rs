//! Tests what a session promises its readers, and what happens to them when the session ends.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::FutureExt as _;
use tauri::ipc::Channel;
use tokio::time::{Instant, sleep, timeout};

use super::{HIDDEN_LIMIT, new_sessions, page};
use crate::{
    ErrorKind, Failure, Retention, TaskContext, TaskManager, Unread,
    session::{
        message::PROTOCOL,
        push_channel::PushChannel,
        session::Session,
        sessions::{Departure, Sessions},
    },
    state::PluginState,
};
use tauri_plugin_tasks_engine::delivery::{Ask, Policy, Record, Settings, WINDOW, engine};
use tauri_plugin_tasks_engine::test::{
    items::{all, ask, cancelled_after, kept, kind_of_numbers, one_number, rest, secs, settle, unread},
    log::Log,
    manager,
};

struct Pages {
    sessions: Arc<Sessions>,
    tasks: TaskManager,
}

impl Pages {
    fn new(tasks: &TaskManager) -> Self {
        Self { sessions: new_sessions(), tasks: tasks.clone() }
    }

    /// Opens a session for the page `label`.
    fn open(&self, name: &str, label: &str) -> Arc<Session> {
        self.sessions
            .open(name, PROTOCOL, &page(label), &self.tasks, PushChannel::at_once(Channel::new(|_| Ok(()))))
            .unwrap();
        self.sessions.get(name, &page(label)).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_begins_to_read_wakes_its_pump_even_if_that_is_about_to_rest() {
    let (tasks, _task, record) = one_number(unread(Unread::Wait));
    let session = Pages::new(&tasks).open("s", "main");
    // The pump rests.
    session.acknowledge(0).await.unwrap();
    settle().await;
    // From here on it is awake, and may have seen that nothing depends on the page.
    session.acknowledge(0).await.unwrap();
    let wakes = || session.wake.notified().now_or_never().is_some();
    assert!(!wakes(), "the pump has been told already");
    assert!(session.read(&record, ask("s/a", 1), secs(25)).now_or_never().is_some());
    assert!(wakes());
    assert!(session.read(&record, ask("s/a", 1), secs(25)).now_or_never().is_some());
    assert!(!wakes(), "it has been told of this reader");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_does_not_wait_ends_the_waiting_reads_of_its_session_only() {
    let (tasks, _task, record) = one_number(unread(Unread::Wait));
    let other = tasks.start("one", ()).unwrap();
    let other = engine(&tasks).find(other.id()).unwrap();
    let third = tasks.start("one", ()).unwrap();
    let third = engine(&tasks).find(third.id()).unwrap();
    let pages = Pages::new(&tasks);
    let (main, second) = (pages.open("s", "main"), pages.open("t", "second"));
    let before = Instant::now();
    assert!(main.read(&record, ask("s/a", 1), secs(25)).await.unwrap().is_some());
    assert!(main.read(&other, ask("s/b", 1), secs(25)).await.unwrap().is_some());
    assert!(second.read(&third, ask("t/a", 1), secs(25)).await.unwrap().is_some());
    let at = |chunk: Option<_>| (chunk.is_none(), before.elapsed().as_secs());
    let (waits, also_waits, elsewhere, ()) = tokio::join!(
        async { at(main.read(&record, ask("s/a", 2), secs(25)).await.unwrap()) },
        async { at(main.read(&other, ask("s/b", 2), secs(25)).await.unwrap()) },
        async { at(second.read(&third, ask("t/a", 2), secs(20)).await.unwrap()) },
        async {
            sleep(secs(3)).await;
            assert!(main.read(&record, ask("s/a", 2), Duration::ZERO).await.unwrap().is_none());
        },
    );
    assert_eq!((waits, also_waits, elsewhere), ((true, 3), (true, 3), (true, 20)));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_read_fails_when_its_session_is_closed() {
    let (tasks, _task, record) = one_number(unread(Unread::Wait));
    let pages = Pages::new(&tasks);
    let session = pages.open("s", "main");
    session.read(&record, ask("s/a", 1), secs(25)).await.unwrap();
    let (gone, ()) = tokio::join!(session.read(&record, ask("s/a", 2), secs(25)), async {
        settle().await;
        pages.sessions.close_page("main", Departure::Reloads);
    });
    assert_eq!(gone.unwrap_err().kind, ErrorKind::SessionGone);
}

#[tokio::test(start_paused = true)]
async fn the_silence_of_a_page_removes_its_readers_as_a_reload_does() {
    let (tasks, task, record) = one_number(unread(Unread::Cancel));
    let pages = Pages::new(&tasks);
    let session = pages.open("s", "main");
    session.follow(&record, None);
    session.read(&record, ask("s/a", 1), secs(25)).await.unwrap();
    // The page never acknowledges this message.
    assert_eq!(cancelled_after(&task).await.unwrap().as_secs(), 52, "42 seconds of silence and 10 of patience");
}

#[tokio::test(start_paused = true)]
async fn readers_wait_for_a_reloading_page_but_not_for_a_closed_window() {
    for (closes, after) in [(false, 10), (true, 0)] {
        let (tasks, task, record) = one_number(unread(Unread::Cancel));
        let plugin = PluginState::new(tasks.clone(), HIDDEN_LIMIT, Box::new(|_| true), Box::new(|run| run()));
        plugin.webview_created("main");
        let page = plugin.pages.current("main");
        plugin.sessions.open("s", PROTOCOL, &page, &tasks, PushChannel::at_once(Channel::new(|_| Ok(())))).unwrap();
        let session = plugin.sessions.get("s", &page).unwrap();
        session.read(&record, ask("s/a", 1), secs(25)).await.unwrap();
        if closes {
            plugin.window_destroyed(|_| false);
        } else {
            plugin.page_left("main");
        }
        assert!(!record.items().is_being_read());
        assert_eq!(cancelled_after(&task).await, Some(secs(after)));
    }
}

/// A page gives the same name to readers of two tasks.
#[tokio::test(start_paused = true)]
async fn closing_a_session_removes_all_readers_of_one_name() {
    let (tasks, _task, record) = one_number(unread(Unread::Wait));
    let other = tasks.start("one", ()).unwrap();
    let other = engine(&tasks).find(other.id()).unwrap();
    let pages = Pages::new(&tasks);
    let session = pages.open("s", "main");
    session.read(&record, ask("s/r", 1), secs(25)).await.unwrap();
    session.read(&other, ask("s/r", 1), secs(25)).await.unwrap();
    pages.sessions.close_page("main", Departure::Reloads);
    assert!(!record.items().is_being_read());
    assert!(!other.items().is_being_read(), "the items are locked forever");
}

#[tokio::test(start_paused = true)]
async fn many_readers_sessions_and_reloads_leave_nothing_behind() {
    let settings = Settings { retention: Retention::default().age(secs(60)), ..Settings::default() };
    let tasks = manager([kind_of_numbers(unread(Unread::DropOldest))], settings);
    let pages = Pages::new(&tasks);
    let mut records: Vec<Weak<Record>> = Vec::new();
    let mut sessions: Vec<Weak<Session>> = Vec::new();
    for load in 0..60 {
        let session = pages.open(&format!("s{load}"), "main");
        sessions.push(Arc::downgrade(&session));
        for task in 0..5 {
            let task = (task, tasks.start("plain", 10).unwrap());
            let record = engine(&tasks).find(task.1.id()).unwrap();
            let name = format!("s{load}/{}", task.0);
            session.read(&record, ask(&name, 1), secs(25)).await.unwrap();
            match task.0 {
                0 => session.cancel_read(record.id, Ok(Arc::clone(&record)), &name, 2).unwrap(),
                1 => {
                    // One reader is refused, and one is waiting when the page leaves.
                    session.read(&record, ask("s/else", 1), secs(25)).await.unwrap_err();
                    let (session, record) = (Arc::clone(&session), Arc::clone(&record));
                    tokio::spawn(async move { session.read(&record, ask(&name, 2), secs(25)).await.map(drop) });
                }
                2 => {
                    let next = timeout(secs(1), session.read(&record, ask(&name, 2), secs(25))).await;
                    drop(next);
                }
                _ => {}
            }
            records.push(Arc::downgrade(&record));
        }
        settle().await;
        drop(session);
        pages.sessions.close_page("main", if load % 2 == 0 { Departure::Reloads } else { Departure::ForGood });
    }
    sleep(secs(120)).await;
    assert_eq!(kept(&tasks), []);
    settle().await;
    assert_eq!(sessions.iter().filter(|session| session.strong_count() > 0).count(), 0, "sessions");
    assert_eq!(records.iter().filter(|record| record.strong_count() > 0).count(), 0, "tasks");
}

#[tokio::test(start_paused = true)]
async fn an_open_session_does_not_keep_tasks_whose_readers_stopped_or_were_refused() {
    let settings = Settings { retention: Retention::default().age(secs(60)), ..Settings::default() };
    let tasks = manager([kind_of_numbers(Policy::default())], settings);
    let pages = Pages::new(&tasks);
    let session = pages.open("s", "main");
    // The page's acknowledgements keep the session open.
    let hangs = tasks.spawn("hangs", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    session.follow(&engine(&tasks).find(hangs.id()).unwrap(), None);
    sleep(secs(1)).await;
    session.acknowledge(1).await.unwrap();
    let mut records: Vec<Weak<Record>> = Vec::new();
    for number in 0..100 {
        let task = tasks.start("plain", 10).unwrap();
        let record = engine(&tasks).find(task.id()).unwrap();
        records.push(Arc::downgrade(&record));
        let name = format!("s/{number}");
        assert_eq!(rest(&record, "rust", 1, None).await, all(0..10));
        session.read(&record, ask(&name, 1), secs(1)).await.unwrap_err();
        record.items().stop("rust", 10);
        session.read(&record, ask(&name, 1), secs(1)).await.unwrap();
        session.cancel_read(record.id, Ok(Arc::clone(&record)), &name, 10).unwrap();
        session.cancel_read(record.id, Ok(Arc::clone(&record)), &name, 10).unwrap();
        if number % 2 == 0 {
            session.read(&record, ask(&name, 2), secs(1)).await.unwrap_err();
        }
        session.read(&record, ask("s/early", 7), secs(1)).await.unwrap_err();
        session
            .read(&record, Ask { reader: "s/beyond", label: "main", chunk: 1, from: Some(11), holds: WINDOW }, secs(1))
            .await
            .unwrap_err();
    }
    for _ in 0..12 {
        sleep(secs(10)).await;
        session.acknowledge(1).await.unwrap();
    }
    assert_eq!(kept(&tasks), [hangs.id()]);
    assert!(pages.sessions.get("s", &page("main")).is_ok(), "the session is still open");
    assert_eq!(records.iter().filter(|record| record.strong_count() > 0).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_log_names_the_webview_whose_reading_keeps_a_task_waiting() {
    let log = Log::capture();
    let tasks = manager([kind_of_numbers(unread(Unread::Wait))], Settings::default());
    let task = tasks.start("plain", 1_000).unwrap();
    let record = engine(&tasks).find(task.id()).unwrap();
    let pages = Pages::new(&tasks);
    let settings = pages.open("0191-nonce", "settings");
    // Not through the session, which is closed before a minute is over, since nobody acknowledges its messages here.
    record.items().read(settings.ask("0191-nonce/a", 1, None)).await.unwrap();
    sleep(secs(600)).await;
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("waits for its reader")).collect();
    assert_eq!(lines.len(), 1, "{log:?}");
    assert!(lines[0].contains("\"settings\"") && !lines[0].contains("nonce"), "{}", lines[0]);
    assert!(lines[0].contains(&task.id().to_string()), "{}", lines[0]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_taken_for_gone_is_told_and_its_position_counts() {
    let policy = Policy { idle_reader: Some(secs(8)), ..unread(Unread::DropOldest) };
    let tasks = manager([kind_of_numbers(policy)], Settings::default());
    let task = tasks.start("plain", 100).unwrap();
    let record = engine(&tasks).find(task.id()).unwrap();
    let main = Pages::new(&tasks).open("s", "main");
    assert!(main.read(&record, main.ask("s/a", 1, None), secs(20)).await.unwrap().is_some());
    sleep(secs(10)).await;
    assert!(!record.items().is_being_read());
    let refused = main.read(&record, main.ask("s/a", 2, None), secs(20)).await.err().unwrap();
    assert_eq!(refused.kind, ErrorKind::ReaderGone);
    assert_eq!(refused.data.unwrap().text(), r#"{"missed":92}"#);
    assert_eq!(main.readers.len(), 0, "the session forgets it");
    main.cancel_read(task.id(), Ok(Arc::clone(&record)), "s/a", 98).unwrap();
    assert_eq!(rest(&record, "s/b", 1, None).await, all(98..100));
}
