//! What a page can make grow has a limit, beyond which its own call is refused and nothing else happens.

use super::*;
use tauri_plugin_tasks_engine::delivery::{Ask, WINDOW};

fn open(sessions: &Arc<Sessions>, tasks: &TaskManager, name: &str, page: &Page) -> Result<(), Error> {
    sessions.open(name, PROTOCOL, page, tasks, channel().0).map(drop)
}

#[track_caller]
fn exceeds<T>(refused: Result<T, Error>, quota: &str, limit: usize) {
    let Err(error) = refused else { panic!("it was not refused") };
    assert_eq!(error.kind, ErrorKind::QuotaExceeded);
    assert!(error.message.contains("fixed; "), "{error}");
    assert_eq!(error.data.unwrap(), Json::from(json!({ "quota": quota, "limit": limit })));
}

fn everything() -> View {
    View::new(page("main"), Scope::everything())
}

fn list(session: &Session, watch: u32) -> Result<Vec<TaskSnapshot>, Error> {
    session.list(watch, &TaskFilter::default(), everything(), None)
}

#[tokio::test(start_paused = true)]
async fn a_page_has_16_sessions_and_a_17th_closes_no_other() {
    let (sessions, tasks) = (new_sessions(), TaskManager::new(Handle::current()));
    for number in 0..16 {
        open(&sessions, &tasks, &number.to_string(), &page("main")).unwrap();
    }
    for number in 16..40 {
        exceeds(open(&sessions, &tasks, &number.to_string(), &page("main")), "sessions", 16);
    }
    for number in 0..16 {
        sessions.get(&number.to_string(), &page("main")).unwrap();
    }
    open(&sessions, &tasks, "15", &page("main")).expect("it is open already");
    open(&sessions, &tasks, "other", &page("other")).expect("another page has sessions of its own");
    open(&sessions, &tasks, "next", &Page { incarnation: 1, ..page("main") }).expect("so has a new webview");
    sessions.close_page("main", Departure::Reloads);
    open(&sessions, &tasks, "16", &page("main")).expect("a page that has reloaded begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_page_watches_256_lists_in_all_of_its_sessions() {
    let (sessions, tasks) = (new_sessions(), TaskManager::new(Handle::current()));
    let session = |name: &str, of: &Page| {
        open(&sessions, &tasks, name, of).unwrap();
        sessions.get(name, of).unwrap()
    };
    let (one, two) = (session("one", &page("main")), session("two", &page("main")));
    for watch in 0..200 {
        list(&one, watch).unwrap();
    }
    for watch in 0..56 {
        list(&two, watch).unwrap();
    }
    for watch in [56, 1_000, u32::MAX] {
        exceeds(list(&two, watch), "lists", 256);
        exceeds(list(&one, watch + 200_u32.min(u32::MAX - watch)), "lists", 256);
    }
    list(&one, 7).expect("it is watched already");
    list(&session("other", &page("other")), 7).expect("another page has lists of its own");
    one.unlist(7);
    one.unlist(7);
    list(&two, 56).expect("the place of a list that has ended is free");
    exceeds(list(&one, 7), "lists", 256);
    drop((one, two));
    sessions.close_page("main", Departure::Reloads);
    sleep(Duration::from_secs(1)).await;
    list(&session("three", &page("main")), 7).expect("so are those of a page that has left");
}

#[tokio::test(start_paused = true)]
async fn a_page_has_64_readers_in_all_of_its_sessions() {
    let opened = Opened::new();
    let task = opened.tasks.spawn("feed", async |ctx: TaskContext<(), u32>| {
        ctx.emit(1).await;
        std::future::pending::<Result<(), Failure>>().await
    });
    let record = engine(&opened.tasks).find(task.id()).unwrap();
    let session = opened.session().unwrap();
    open(&opened.sessions, &opened.tasks, "two", &page("main")).unwrap();
    let second = opened.sessions.get("two", &page("main")).unwrap();
    let bounds = opened.sessions.bounds_of(&page("main"));
    let ask = |reader| Ask { reader, label: "main", chunk: 1, from: None, holds: WINDOW };
    let others: Vec<_> = (0..63).map(|_| bounds.reader().unwrap()).collect();
    session.read(&record, ask("s/a"), Duration::from_secs(1)).await.unwrap().unwrap();
    exceeds(second.read(&record, ask("two/b"), Duration::ZERO).await.map(drop), "readers", 64);
    session.read(&record, ask("s/a"), Duration::ZERO).await.expect("it is a reader already").unwrap();
    drop(others);
    session.cancel_read(record.id, Ok(Arc::clone(&record)), "s/a", 0).unwrap();
    let free: Vec<_> = (0..64).map(|_| bounds.reader().unwrap()).collect();
    exceeds(bounds.reader(), "readers", 64);
    drop(free);
}

#[tokio::test(start_paused = true)]
async fn a_page_has_1024_calls_that_wait_at_once() {
    let opened = Opened::new();
    let task = opened
        .tasks
        .spawn("quiet", async |_: TaskContext<(), u32>| std::future::pending::<Result<(), Failure>>().await);
    let record = engine(&opened.tasks).find(task.id()).unwrap();
    let session = opened.session().unwrap();
    let ask = || Ask { reader: "s/a", label: "main", chunk: 1, from: None, holds: WINDOW };
    let reads: Vec<_> = (0..1_024)
        .map(|_| {
            let (session, record) = (Arc::clone(&session), Arc::clone(&record));
            tokio::spawn(async move {
                session.read(&record, ask(), Duration::from_secs(25)).await.map(|chunk| chunk.is_none())
            })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    exceeds(session.read(&record, ask(), Duration::from_secs(25)).await.map(drop), "waits", 1_024);
    for read in reads {
        assert!(read.await.unwrap().unwrap(), "there was nothing to read");
    }
    assert!(session.read(&record, ask(), Duration::from_secs(25)).await.unwrap().is_none(), "their places are free");
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_page_count_without_a_session_and_across_a_reload() {
    let (sessions, tasks) = (new_sessions(), TaskManager::new(Handle::current()));
    let wait = |of: &str| sessions.bounds_of(&page(of)).wait();
    let mut waits: Vec<_> = (0..512).map(|_| wait("main").unwrap()).collect();
    wait("other").map(drop).expect("another page has calls of its own");
    open(&sessions, &tasks, "s", &page("main")).unwrap();
    waits.extend((512..1_024).map(|_| wait("main").unwrap()));
    exceeds(wait("main"), "waits", 1_024);
    sessions.close_page("main", Departure::Reloads);
    sleep(Duration::from_secs(1)).await;
    exceeds(wait("main"), "waits", 1_024);
    open(&sessions, &tasks, "t", &page("main")).unwrap();
    exceeds(wait("main"), "waits", 1_024);
    waits.pop();
    waits.push(wait("main").unwrap());
    exceeds(wait("main"), "waits", 1_024);
}

#[tokio::test(start_paused = true)]
async fn a_session_follows_65536_tasks_that_the_page_asks_for() {
    let tasks = tauri_plugin_tasks_engine::test::manager(
        [Kind::new("wait", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        })],
        Settings { concurrency: Some(0), ..Settings::default() },
    );
    let opened = Opened::with(tasks);
    let session = opened.session().unwrap();
    let mut last = None;
    for _ in 0..65_536 {
        let task = opened.tasks.start("wait", ()).unwrap();
        session.may_follow(task.id()).unwrap();
        opened.follow(task.id());
        last = Some(task.id());
    }
    exceeds(session.may_follow(opened.tasks.start("wait", ()).unwrap().id()), "follows", 65_536);
    session.may_follow(last.unwrap()).expect("it is followed already");
    session.unfollow(last.unwrap());
    session.may_follow(last.unwrap()).expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_page_pushes_out_no_closed_name_of_another_page() {
    let (sessions, tasks) = (new_sessions(), TaskManager::new(Handle::current()));
    open(&sessions, &tasks, "quiet", &page("quiet")).unwrap();
    sessions.close_page("quiet", Departure::Reloads);
    for number in 0..5_000 {
        open(&sessions, &tasks, &number.to_string(), &page("loud")).unwrap();
        sessions.close_page("loud", Departure::Reloads);
    }
    let reopened = |name: &str, label: &str| open(&sessions, &tasks, name, &page(label));
    assert_eq!(reopened("quiet", "quiet").unwrap_err().kind, ErrorKind::SessionGone);
    assert_eq!(reopened("4999", "loud").unwrap_err().kind, ErrorKind::SessionGone);
    reopened("0", "loud").expect("a page's oldest name goes first");
}

#[tokio::test(start_paused = true)]
async fn lists_that_come_and_go_leave_no_rates_behind() {
    let opened = Opened::new();
    for _ in 0..3 {
        opened.tasks.spawn("count", async |ctx: TaskContext| {
            loop {
                ctx.progress().inc(1);
                sleep(Duration::from_millis(100)).await;
            }
            #[allow(unreachable_code)]
            Ok::<(), Failure>(())
        });
    }
    sleep(Duration::from_secs(5)).await;
    let session = opened.session().unwrap();
    for watch in 0..1_000 {
        assert!(opened.list(watch, TaskFilter::default()).iter().all(|task| task.progress.rate.is_some()));
        session.unlist(watch);
    }
    assert_eq!(session.outbox.lock().rated(), 0);
}
