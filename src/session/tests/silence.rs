//! Tests what the silence of a page means: when it is over, when it counts, and when it means nothing.

use std::sync::OnceLock;

use tauri_plugin_tasks_engine::test::items::{ask, one_number, secs, settle, unread};

use super::*;
use crate::{
    Unread,
    session::{message::Visibility, sessions::Exists},
};

mod main_thread;

const HIDDEN: Visibility = Visibility { hidden: true, change: 1 };

/// Lets time pass in which the process does not run: no timer fires before all of it has passed.
async fn stand_still(time: Duration) {
    tokio::time::advance(time).await;
    settle().await;
}

/// A page whose task is cancelled when it is gone.
struct Owning {
    opened: Opened,
    task: TaskId,
}

impl Owning {
    fn new() -> Self {
        let (tasks, [_, task]) = owned();
        Self { opened: Opened::with(tasks), task }
    }

    /// A page that follows its task and has acknowledged what it was sent.
    async fn following() -> Self {
        let page = Self::new();
        page.opened.follow(page.task);
        sleep(FRAME).await;
        page.answers().await;
        page
    }

    async fn answers(&self) {
        let last = self.opened.pushed.lock().len() as u64;
        self.opened.session().unwrap().acknowledge(last).await.unwrap();
    }

    fn is_there(&self) -> bool {
        let is_there = self.opened.session().is_ok();
        assert_eq!(is_there, self.opened.tasks.get(self.task).unwrap().status == TaskStatus::Running);
        is_there
    }

    fn sees(&self, visibility: Visibility) {
        self.opened.session().unwrap().sees(visibility);
    }

    fn pushes(&self) -> usize {
        self.opened.pushed.lock().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_visible_page_is_gone_after_42_seconds_of_silence() {
    let page = Owning::following().await;
    sleep(VISIBLE_LIMIT.saturating_sub(FRAME)).await;
    assert!(page.is_there());
    sleep(2 * FRAME).await;
    assert!(!page.is_there());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_said_it_was_hidden_is_gone_after_an_hour_of_silence() {
    let page = Owning::following().await;
    page.sees(HIDDEN);
    sleep(HIDDEN_LIMIT.saturating_sub(FRAME)).await;
    assert!(page.is_there());
    assert_eq!(page.pushes(), 2, "its messages don't pile up: one tells it of the task, and one asks it to answer");
    sleep(2 * FRAME).await;
    assert!(!page.is_there());
}

#[tokio::test(start_paused = true)]
async fn a_hidden_page_that_comes_back_goes_on_where_it_was() {
    let page = Owning::following().await;
    page.sees(HIDDEN);
    sleep(HIDDEN_LIMIT / 2).await;
    page.sees(Visibility { hidden: false, change: 2 });
    page.answers().await;
    page.opened.stay(VISIBLE_LIMIT).await;
    assert!(page.is_there());
    sleep(VISIBLE_LIMIT + FRAME).await;
    assert!(!page.is_there(), "it counts as visible again");
}

/// The pump may look between any two steps of a call that tells that the page is shown, or that its session is opened.
#[tokio::test(start_paused = true)]
async fn a_page_is_not_given_up_at_the_moment_in_which_it_is_shown_again() {
    let opens = |page: &Owning| {
        let (sessions, tasks) = (&page.opened.sessions, &page.opened.tasks);
        sessions.open("s", PROTOCOL, &super::page("main"), tasks, channel().0).unwrap();
    };
    let look = |page: &Owning| page.opened.session().unwrap().wake.notify_one();
    let page = Owning::following().await;
    for (change, silent) in [(0, 600), (2, 41), (4, 3_599), (6, 43)] {
        page.sees(Visibility { hidden: true, change: change + 1 });
        page.answers().await;
        sleep(secs(silent)).await;
        page.sees(Visibility { hidden: false, change: change + 2 });
        look(&page);
        settle().await;
        assert!(page.is_there(), "silent for {silent} s");
        sleep(secs(41)).await;
        assert!(page.is_there(), "it has as much time as any visible page");
    }
    let page = Owning::following().await;
    page.sees(HIDDEN);
    sleep(secs(600)).await;
    opens(&page);
    page.sees(Visibility { hidden: false, change: 2 });
    look(&page);
    settle().await;
    assert!(page.is_there(), "opened again");

    let page = Owning::following().await;
    sleep(secs(41)).await;
    opens(&page);
    sleep(secs(41)).await;
    assert!(page.is_there(), "opened again, and it says nothing of whether it is seen");
    sleep(secs(2)).await;
    assert!(!page.is_there());
}

#[tokio::test(start_paused = true)]
async fn what_a_page_said_before_does_not_undo_what_it_said_later() {
    let page = Owning::following().await;
    page.sees(Visibility { hidden: true, change: 3 });
    page.sees(Visibility { hidden: false, change: 2 });
    sleep(VISIBLE_LIMIT + FRAME).await;
    assert!(page.is_there(), "the call that it was visible came late");
}

#[tokio::test(start_paused = true)]
async fn the_app_says_how_long_a_hidden_page_may_be_silent() {
    for (limit, gone_after) in [
        (Duration::ZERO, Some(VISIBLE_LIMIT)),
        (secs(1), Some(VISIBLE_LIMIT)),
        (secs(50), Some(secs(50))),
        (Duration::MAX, None),
    ] {
        let (tasks, [_, task]) = owned();
        let sessions = Arc::new(Sessions::new(limit, Box::new(|_| true), Box::new(|run| run())));
        let (channel, pushed) = channel();
        sessions.open("s", PROTOCOL, &page("main"), &tasks, channel).unwrap();
        let page = Owning { opened: Opened { sessions, tasks, pushed, taken: Mutex::default() }, task };
        page.opened.follow(task);
        page.sees(HIDDEN);
        sleep(gone_after.unwrap_or(secs(100_000)).saturating_sub(FRAME)).await;
        assert!(page.is_there(), "{limit:?}");
        sleep(2 * FRAME).await;
        assert_eq!(page.is_there(), gone_after.is_none(), "{limit:?}");
    }
}

/// The process stands still at each moment of a page's life in which something is on its way.
#[tokio::test(start_paused = true)]
async fn a_time_in_which_the_app_does_not_run_takes_nothing_from_a_page() {
    // The page has been silent for this long. It answers this long after the app has woken.
    let moments = [0, 5, 11, 12, 13, 30, 41].map(secs);
    for (silent, answer) in moments.into_iter().flat_map(|silent| [0, 1, 5].map(|answer| (silent, secs(answer)))) {
        let page = Owning::following().await;
        sleep(silent).await;
        for _ in 0..3 {
            stand_still(secs(60)).await;
            assert!(page.is_there(), "silent for {silent:?}");
        }
        stand_still(secs(100_000)).await;
        sleep(answer).await;
        assert!(page.is_there(), "silent for {silent:?}, answers after {answer:?}");
        page.answers().await;
        page.opened.stay(2 * VISIBLE_LIMIT).await;
        assert!(page.is_there());
        sleep(VISIBLE_LIMIT + FRAME).await;
        assert!(!page.is_there(), "a page that is gone is noticed all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_gone_before_the_app_stands_still_is_noticed_soon_after() {
    let page = Owning::following().await;
    sleep(secs(40)).await;
    stand_still(secs(1_000)).await;
    sleep(secs(5)).await;
    assert!(page.is_there());
    sleep(secs(2)).await;
    assert!(!page.is_there());
}

#[tokio::test(start_paused = true)]
async fn a_page_on_which_nothing_depends_is_left_alone() {
    let opened = Opened::new();
    let read = opened.hang();
    let session = opened.session().unwrap();
    opened.follow(read);
    opened.list(1, TaskFilter::default());
    opened.take_all().await;
    session.unfollow(read);
    session.unlist(1);
    let before = opened.pushed.lock().len();
    let ended = opened.tasks.spawn("quick", async |_: TaskContext| Ok::<_, Failure>(()));
    ended.outcome().await;
    opened.follow(ended.id());
    sleep(secs(3_600)).await;
    assert_eq!(opened.pushed.lock().len(), before, "nothing is sent");
    assert!(opened.session().is_ok(), "its silence means nothing");

    // It begins to follow, and is asked again.
    opened.follow(read);
    sleep(PROBE + FRAME).await;
    opened.take_all().await;
    assert!(opened.pushed.lock().len() > before);
    sleep(VISIBLE_LIMIT + PROBE).await;
    assert!(opened.session().is_err());
}

/// The pump of a session on which nothing hangs sets no timer: time does not stop in between.
#[tokio::test(start_paused = true)]
async fn a_page_on_which_nothing_depends_causes_no_wake_ups() {
    let opened = Opened::new();
    opened.session().unwrap().acknowledge(0).await.unwrap();
    settle().await;
    let begin = Instant::now();
    // The runtime moves its paused clock to the next timer. If there were another one, it would stop there first.
    let woken = tokio::time::timeout(secs(3_600), opened.session().unwrap().wake.notified()).await;
    assert!(woken.is_err() && begin.elapsed() == secs(3_600));
    assert!(opened.pushed.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_thing_that_depends_on_a_page_makes_its_silence_count() {
    let (tasks, [goes_on, cancelled]) = owned();
    let (numbers, _task, record) = one_number(unread(Unread::Wait));
    let follow = Opened::with(tasks.clone());
    follow.follow(goes_on);
    let list = Opened::new();
    list.list(1, TaskFilter::default());
    let owns = Opened::with(tasks.clone());
    owns.follow(cancelled);
    owns.session().unwrap().unfollow(cancelled);
    let reads = Opened::with(numbers);
    let session = reads.session().unwrap();
    // The session rests before it reads.
    session.acknowledge(0).await.unwrap();
    sleep(secs(600)).await;
    session.read(&record, ask("s/a", 1), secs(25)).await.unwrap();
    for (what, opened) in [("follow", &follow), ("list", &list), ("owns", &owns)] {
        assert!(opened.session().is_err(), "{what}");
    }
    sleep(PROBE + FRAME).await;
    assert_eq!(reads.pushed.lock().len(), 1, "it is asked");
    assert!(reads.session().is_ok());
    sleep(VISIBLE_LIMIT).await;
    assert!(reads.session().is_err());
}

/// A message that got lost is no reason to take the page for gone.
#[tokio::test(start_paused = true)]
async fn a_page_that_misses_a_message_loses_its_session_but_not_its_tasks() {
    let page = Owning::new();
    page.opened.follow(page.task);
    sleep(FRAME).await;
    assert_eq!(page.pushes(), 1);
    let session = page.opened.session().unwrap();
    // It says that it is there, and knows of no message.
    let mut pings = 0;
    while page.opened.session().is_ok() {
        sleep(PING).await;
        session.acknowledge(0).await.unwrap();
        pings += 1;
    }
    assert!((4..=5).contains(&pings), "30 seconds after the first: {pings}");
    assert_eq!(page.opened.tasks.get(page.task).unwrap().status, TaskStatus::Running);
}

/// What a page said before it stood still says nothing about the message that it owes since then.
#[tokio::test(start_paused = true)]
async fn a_page_that_stands_still_while_it_owes_a_message_is_gone_after_42_seconds() {
    for heard_for in 0..LEASE.as_secs() {
        let page = Owning::new();
        page.opened.follow(page.task);
        sleep(FRAME).await;
        let session = page.opened.session().unwrap();
        session.acknowledge(0).await.unwrap();
        for _ in 0..heard_for {
            sleep(secs(1)).await;
            session.acknowledge(0).await.unwrap();
        }
        sleep(VISIBLE_LIMIT.saturating_sub(FRAME)).await;
        assert!(page.is_there(), "heard for {heard_for} s");
        sleep(2 * FRAME).await;
        assert!(!page.is_there(), "heard for {heard_for} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_webview_that_closes_before_its_window_is_noticed_within_two_steps() {
    let (tasks, [goes_on, cancelled]) = owned();
    let open = Arc::new(Mutex::new(true));
    let exists = Arc::clone(&open);
    let sessions = Arc::new(Sessions::new(
        HIDDEN_LIMIT,
        Box::new(move |label| label != "main" || *exists.lock()),
        Box::new(|run| run()),
    ));
    let (channel, pushed) = channel();
    sessions.open("s", PROTOCOL, &page("main"), &tasks, channel).unwrap();
    let opened = Opened { sessions, tasks, pushed, taken: Mutex::default() };
    opened.follow(goes_on);
    opened.session().unwrap().sees(HIDDEN);
    opened.take_all().await;
    opened.stay(secs(60)).await;
    *open.lock() = false;
    sleep(secs(6)).await;
    assert!(opened.session().is_err());
    let tasks = &opened.tasks;
    assert_eq!(tasks.get(cancelled).unwrap().cancel_reason, Some(CancelReason::OwnerClosed));
    assert_eq!(tasks.get(goes_on).unwrap().owner, None, "the app owns it now");
}

#[tokio::test(start_paused = true)]
async fn a_webview_that_takes_over_the_label_of_one_that_has_closed_keeps_its_session_and_its_tasks() {
    let (tasks, [goes_on, cancelled]) = owned();
    let next = Page { incarnation: 1, ..page("main") };
    let theirs = Arc::new(Mutex::new(None));
    let created = Arc::<OnceLock<Box<dyn Fn() -> TaskId + Send + Sync>>>::default();
    // The app creates it right after the answer that there is none.
    let exists: Exists = {
        let (created, theirs) = (Arc::clone(&created), Arc::clone(&theirs));
        Box::new(move |_| {
            theirs.lock().get_or_insert_with(|| created.get().unwrap()());
            false
        })
    };
    let sessions = Arc::new(Sessions::new(HIDDEN_LIMIT, exists, Box::new(|run| run())));
    let (ours, pushed) = channel();
    sessions.open("s", PROTOCOL, &page("main"), &tasks, ours).unwrap();
    let opened = Opened { sessions: Arc::clone(&sessions), tasks: tasks.clone(), pushed, taken: Mutex::default() };
    opened.follow(goes_on);
    let (all, manager, page) = (Arc::downgrade(&sessions), tasks.clone(), next.clone());
    let _ = created.set(Box::new(move || {
        all.upgrade().unwrap().open("next", PROTOCOL, &page, &manager, channel().0).unwrap();
        start(&manager, "Cancel", page.owner())
    }));
    sleep(STEP + FRAME).await;
    assert!(opened.session().is_err());
    assert_eq!(tasks.get(cancelled).unwrap().cancel_reason, Some(CancelReason::OwnerClosed));
    assert_eq!(tasks.get(goes_on).unwrap().owner, None);
    let theirs = tasks.get(theirs.lock().unwrap()).unwrap();
    assert!(sessions.get("next", &next).is_ok());
    assert_eq!((theirs.status, theirs.owner.as_deref()), (TaskStatus::Running, Some("main")));
}

/// The page left while it opened the session, so that nobody ever uses it.
#[tokio::test(start_paused = true)]
async fn a_session_that_a_document_opened_as_it_left_takes_nothing_from_the_next_one() {
    let page = Owning::following().await;
    page.opened.sessions.close_page("main", Departure::Reloads);
    open(&page.opened, "late");
    sleep(VISIBLE_LIMIT + secs(1)).await;
    assert!(page.opened.sessions.get("late", &super::page("main")).is_err());
    assert_eq!(page.opened.tasks.get(page.task).unwrap().status, TaskStatus::Running, "the page may just say nothing");
}

/// It loses its session in each way in which its document stays, opens another, and dies before it uses that.
#[tokio::test(start_paused = true)]
async fn a_page_that_was_used_and_dies_in_a_new_session_takes_its_tasks_with_it() {
    for falls_behind in [true, false] {
        let page = Owning::following().await;
        let sessions = &page.opened.sessions;
        for round in 0..50 {
            let session =
                if round == 0 { page.opened.session().unwrap() } else { open(&page.opened, &round.to_string()) };
            if falls_behind {
                // Its progress is a message, which is never acknowledged.
                session.follow(&engine(&page.opened.tasks).find(page.opened.hang()).unwrap(), None);
                while sessions.held().0 > 0 {
                    sleep(PING).await;
                    let _ = session.acknowledge(0).await;
                }
            } else {
                session.closed.cancel();
                settle().await;
            }
            assert_eq!((sessions.held().0, sessions.remembered()), (0, 1), "falls behind: {falls_behind}");
        }
        let status = || page.opened.tasks.get(page.task).unwrap().status;
        assert_eq!(status(), TaskStatus::Running);
        open(&page.opened, "last");
        sleep(VISIBLE_LIMIT + secs(2)).await;
        assert_eq!(sessions.held().0, 0);
        assert_eq!(status(), TaskStatus::Cancelled, "falls behind: {falls_behind}");
        sessions.close_page("main", Departure::Reloads);
        assert_eq!(sessions.remembered(), 0, "the next document is another page");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_a_page_opened_and_did_not_use_does_not_hide_that_it_is_silent() {
    let page = Owning::following().await;
    sleep(secs(1)).await;
    open(&page.opened, "unused");
    sleep(VISIBLE_LIMIT + secs(2)).await;
    assert!(!page.is_there());
}

/// Opens another session of the page `main`, which its client does not use.
fn open(opened: &Opened, name: &str) -> Arc<Session> {
    let (sessions, tasks) = (&opened.sessions, &opened.tasks);
    sessions.open(name, PROTOCOL, &page("main"), tasks, channel().0).unwrap();
    sessions.get(name, &page("main")).unwrap()
}

/// The client gives up a session whose `open` is answered late, and tells the plugin nothing of it.
#[tokio::test(start_paused = true)]
async fn sessions_that_a_client_has_given_up_do_not_hide_the_end_of_its_page() {
    for shown in [true, false] {
        let page = Owning::following().await;
        for number in 0..12 {
            open(&page.opened, &number.to_string()).sees(HIDDEN);
        }
        if shown {
            page.sees(Visibility { hidden: false, change: 2 });
        }
        page.answers().await;
        let limit = if shown { VISIBLE_LIMIT } else { HIDDEN_LIMIT };
        sleep(limit.saturating_sub(FRAME)).await;
        assert!(page.is_there());
        sleep(STEP + 2 * FRAME).await;
        assert!(!page.is_there(), "shown: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_that_a_client_has_given_up_end_while_another_one_is_used() {
    for (used, other_rests) in [(false, false), (true, false), (false, true)] {
        let page = Owning::following().await;
        if other_rests {
            page.opened.tasks.cancel(page.task).unwrap();
            page.opened.session().unwrap().unfollow(page.task);
        }
        page.sees(HIDDEN);
        let goes_on = page.opened.hang();
        for number in 0..12 {
            let session = open(&page.opened, &number.to_string());
            session.sees(HIDDEN);
            if used {
                session.follow(&engine(&page.opened.tasks).find(goes_on).unwrap(), None);
            }
        }
        sleep(secs(1)).await;
        page.answers().await;
        if other_rests {
            sleep(VISIBLE_LIMIT + 2 * STEP).await;
        } else {
            page.opened.stay(secs(36)).await;
            assert_eq!(page.opened.sessions.held().0, 13, "they may be heard yet");
            page.opened.stay(3 * STEP).await;
        }
        assert_eq!(page.opened.sessions.held().0, 1, "used: {used}");
        assert!(other_rests || page.is_there());
    }
}

/// Two clients share a page, as in an iframe. The page is suspended, and one of them is the first to speak.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_heard_again_in_one_session_keeps_the_others() {
    for shown in [true, false] {
        let page = Owning::following().await;
        let other = open(&page.opened, "other");
        other.acknowledge(0).await.unwrap();
        page.sees(HIDDEN);
        sleep(secs(600)).await;
        if shown {
            page.sees(Visibility { hidden: false, change: 2 });
        } else {
            page.answers().await;
        }
        other.wake.notify_one();
        settle().await;
        page.opened.stay(secs(20)).await;
        assert_eq!(page.opened.sessions.held().0, 2, "shown: {shown}");
        other.acknowledge(1).await.unwrap();
        sleep(secs(40)).await;
        assert_eq!(page.opened.sessions.held().0, 2, "shown: {shown}");
    }
}

/// Starts a task of the page `main` that is cancelled with it.
fn start_cancelled(tasks: &TaskManager) -> TaskId {
    let (id, owner, options) = (TaskId::new(), page("main").owner(), StartOptions::new());
    let start = Start { id, task: "Cancel", input: Json::new(&()).unwrap(), owner, options, sees: &|_| true };
    engine(tasks).start(start).unwrap();
    id
}

/// One session of a page follows a task and the other one does nothing. The page is gone when both are silent.
#[tokio::test(start_paused = true)]
async fn a_session_that_rests_does_not_keep_a_page_that_is_gone() {
    for answers in [true, false] {
        let (tasks, [_, first]) = owned();
        tasks.cancel(first).unwrap();
        let opened = Opened::with(tasks);
        let (channel, pushed) = channel();
        opened.sessions.open("rests", PROTOCOL, &page("main"), &opened.tasks, channel).unwrap();
        let rests = opened.sessions.get("rests", &page("main")).unwrap();
        rests.acknowledge(0).await.unwrap();
        sleep(secs(1)).await;
        let task = start_cancelled(&opened.tasks);
        opened.follow(task);
        sleep(VISIBLE_LIMIT + FRAME).await;
        assert!(opened.session().is_err());
        let status = || opened.tasks.get(task).unwrap().status;
        assert_eq!(status(), TaskStatus::Running, "the other session may answer");
        for _ in 0..10 {
            sleep(secs(6)).await;
            if answers {
                let last = pushed.lock().len() as u64;
                rests.acknowledge(last).await.unwrap();
            }
        }
        assert_eq!(status() == TaskStatus::Running, answers);
        assert_eq!(pushed.lock().is_empty(), answers, "asked unless it is heard anyway");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_with_several_sessions_is_gone_after_42_seconds_too() {
    let (tasks, [_, first]) = owned();
    tasks.cancel(first).unwrap();
    let opened = Opened::with(tasks);
    for name in ["rests", "also rests"] {
        open(&opened, name).acknowledge(0).await.unwrap();
    }
    opened.session().unwrap().acknowledge(0).await.unwrap();
    sleep(secs(100)).await;
    let task = start_cancelled(&opened.tasks);
    let session = opened.session().unwrap();
    opened.follow(task);
    opened.sessions.has_started(&session);
    let status = || opened.tasks.get(task).unwrap().status;
    sleep(VISIBLE_LIMIT.saturating_sub(FRAME)).await;
    assert_eq!(status(), TaskStatus::Running);
    sleep(2 * FRAME).await;
    assert_eq!(status(), TaskStatus::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_comes_in_when_its_page_is_gone_is_cancelled_too() {
    let (tasks, _) = owned();
    let opened = Opened::with(tasks);
    let session = opened.session().unwrap();
    opened.sessions.close_page("main", Departure::Reloads);
    let id = start_cancelled(&opened.tasks);
    opened.sessions.has_started(&session);
    assert_eq!(opened.tasks.get(id).unwrap().status, TaskStatus::Queued, "a reload is no end");
    let session = {
        let (channel, _) = channel();
        opened.sessions.open("t", PROTOCOL, &page("main"), &opened.tasks, channel).unwrap();
        opened.sessions.get("t", &page("main")).unwrap()
    };
    opened.sessions.close_page("main", Departure::Silent);
    opened.sessions.has_started(&session);
    settle().await;
    assert_eq!(opened.tasks.get(id).unwrap().cancel_reason, Some(CancelReason::OwnerClosed));
}
