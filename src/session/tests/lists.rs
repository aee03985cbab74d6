//! Tests what a session reports about a page's lists, how often, and how much at a time.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use tokio::{sync::Notify, time::timeout};

use super::*;
use crate::{LimitOf, TaskStatus};
use tauri_plugin_tasks_engine::delivery::{Clocks, Policy, Runtimes};

/// Starts a task that counts up on each `tick`.
fn counts(opened: &Opened, tick: &Arc<Notify>) -> TaskId {
    let tick = Arc::clone(tick);
    let task = opened.tasks.spawn("counts", async move |ctx: TaskContext| {
        loop {
            tick.notified().await;
            ctx.progress().inc(1);
        }
        #[allow(unreachable_code)]
        Ok::<_, Failure>(())
    });
    task.id()
}

/// Starts a task that counts up every `ms` milliseconds.
fn ticks(opened: &Opened, ms: u64) -> TaskId {
    let task = opened.tasks.spawn("ticks", async move |ctx: TaskContext| {
        loop {
            sleep(Duration::from_millis(ms)).await;
            ctx.progress().inc(1);
        }
        #[allow(unreachable_code)]
        Ok::<_, Failure>(())
    });
    task.id()
}

/// Returns the list changes in a message, each with the name of its field and the task id.
fn told(message: &Value) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    for change in message["lists"].as_array().unwrap() {
        for sort in ["changed", "progressed", "removed"] {
            for entry in change[sort].as_array().unwrap() {
                let id = entry.get("id").unwrap_or(entry);
                told.push((sort, id.as_str().unwrap().to_owned()));
            }
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn only_the_progress_is_reported_if_nothing_else_has_changed() {
    let opened = Opened::new();
    let tick = Arc::new(Notify::new());
    let id = counts(&opened, &tick);
    sleep(FRAME).await;
    assert_eq!(opened.list(1, TaskFilter::default()).len(), 1);
    tick.notify_one();
    let messages = opened.take_all().await;
    let progress = json!({
        "completed": 1, "total": null, "fraction": null, "unit": "none", "rate": null, "etaMs": null, "message": null,
        "detail": null,
    });
    let change = json!({ "id": id.to_string(), "sequence": 2, "progress": progress });
    let lists = json!([{ "watch": 1, "changed": [], "progressed": [change], "removed": [] }]);
    assert_eq!(messages.iter().map(|message| &message["lists"]).collect::<Vec<_>>(), [&lists]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_not_changed_is_not_reported_again() {
    let opened = Opened::new();
    opened.tasks.set_limit(LimitOf::App, Some(0)).unwrap();
    let waits = opened.hang();
    opened.tasks.pause(waits).unwrap();
    opened.list(1, TaskFilter::default());
    opened.tasks.pause(waits).unwrap();
    opened.tasks.set_priority(waits, 0).unwrap();
    assert_eq!(opened.take_all().await, Vec::<Value>::new());
    opened.tasks.resume(waits).unwrap();
    opened.tasks.pause(waits).unwrap();
    assert_eq!(opened.take_all().await, Vec::<Value>::new(), "the task is held again");
}

/// Changes each part of a snapshot except the progress, with and without a status change.
#[tokio::test(start_paused = true)]
async fn the_whole_snapshot_is_reported_if_more_than_the_progress_has_changed() {
    type Change = fn(&Opened, TaskId);
    let free: Change = |opened, _| opened.tasks.set_limit(LimitOf::App, None).unwrap();
    let disown: Change = |opened, _| engine(&opened.tasks).disown(|owner| owner.label() == Some("main"));
    let cancel: Change = |opened, id| opened.tasks.cancel(id).map(drop).unwrap();
    let waiting: [(&str, Change); 6] = [
        ("owner", disown),
        ("queue", |opened, id| opened.tasks.pause(id).unwrap()),
        ("queue", |opened, id| opened.tasks.set_priority(id, 7).unwrap()),
        ("status", free),
        ("cancelReason", cancel),
        ("nextAttemptAt", |_, _| {}),
    ];
    for (field, change) in waiting {
        let opened = Opened::with(works());
        opened.tasks.set_limit(LimitOf::App, Some(0)).unwrap();
        let delay = if field == "nextAttemptAt" { Duration::from_millis(500) } else { Duration::ZERO };
        let id = start(&opened, StartOptions::new().delay(delay));
        if field == "nextAttemptAt" {
            // Hold the task, so that it has no queue position before or after.
            opened.tasks.pause(id).unwrap();
        }
        is_told_as_a_whole(&opened, id, field, change).await;
    }
    for (field, change) in [("owner", disown), ("status", cancel), ("cancelReason", cancel), ("endedAt", cancel)] {
        let opened = Opened::with(works());
        let id = start(&opened, StartOptions::new());
        is_told_as_a_whole(&opened, id, field, change).await;
    }
}

/// Returns a manager with one kind, whose tasks run forever.
fn works() -> TaskManager {
    let kind = Kind::new("works", Default::default(), Errors::default(), async |_: TaskContext, (): ()| {
        std::future::pending::<Result<(), Failure>>().await
    });
    let kinds = [(Arc::from("works"), Arc::new(kind))].into();
    delivery::manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_tokio(|| 0))
}

fn start(opened: &Opened, options: StartOptions) -> TaskId {
    let id = TaskId::new();
    let owner = page("main").owner();
    let start = Start { id, task: "works", input: Json::new(&()).unwrap(), owner, options, sees: &|_| true };
    engine(&opened.tasks).start(start).unwrap();
    id
}

async fn is_told_as_a_whole(opened: &Opened, id: TaskId, field: &str, change: fn(&Opened, TaskId)) {
    sleep(FRAME).await;
    let before = opened.list(1, TaskFilter::default());
    let before = serde_json::to_value(&before[0]).unwrap();
    change(opened, id);
    let messages = opened.take_all().await;
    let last = messages.last().unwrap_or_else(|| panic!("{field} is not reported"));
    assert_eq!(told(last), [("changed", id.to_string())], "{field}");
    let snapshot = &last["lists"][0]["changed"][0];
    assert_eq!(*snapshot, serde_json::to_value(opened.tasks.get(id).unwrap()).unwrap());
    assert_ne!(snapshot[field], before[field], "{field}");
}

#[tokio::test(start_paused = true)]
async fn the_whole_snapshot_is_reported_when_a_task_becomes_overdue() {
    let opened = Opened::new();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (started, has_started) = std::sync::mpsc::channel();
    let task = opened.tasks.spawn("blocks", async |ctx: TaskContext| {
        ctx.spawn_blocking(move |_| {
            started.send(()).unwrap();
            gate.recv().unwrap_err()
        })
        .await;
        Ok::<_, Failure>(())
    });
    // Paused time does not advance by itself while a blocking thread works.
    let pass = async |time: Duration| {
        tokio::time::advance(time).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    };
    pass(FRAME).await;
    has_started.recv().unwrap();
    let _ = task.cancel();
    pass(FRAME).await;
    opened.list(1, TaskFilter::default());
    for _ in 0..10 {
        pass(Duration::from_secs(1)).await;
    }
    let message = opened.next_pushed().unwrap();
    assert_eq!(told(&message), [("changed", task.id().to_string())]);
    assert_eq!(message["lists"][0]["changed"][0]["overdue"], true);
    drop(release);
}

/// There is more news than fits, in two lists and about followed tasks. Each task gets its turn.
#[tokio::test(start_paused = true)]
async fn no_list_and_no_followed_task_starves() {
    let opened = Opened::new();
    let ids: Vec<_> = (0..400).map(|_| ticks(&opened, 5)).collect();
    sleep(FRAME).await;
    for watch in [1, 2] {
        opened.list(watch, TaskFilter::default());
    }
    ids[..200].iter().for_each(|id| opened.follow(*id));
    let session = opened.session().unwrap();
    // The page is so slow that it never gets large answers.
    let mut told_at = HashMap::<(u64, String), Instant>::new();
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    let mut next: Option<Value> = None;
    while begin.elapsed() < Duration::from_secs(8) {
        let Some(message) = next.take().or_else(|| opened.next_pushed()) else {
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let events = message["events"].as_array().unwrap().iter().map(|event| (0, &event["id"]));
        let lists = message["lists"].as_array().unwrap().iter();
        let listed = lists.flat_map(|list| {
            let watch = list["watch"].as_u64().unwrap();
            list["progressed"].as_array().unwrap().iter().map(move |change| (watch, &change["id"]))
        });
        for (watch, id) in events.chain(listed) {
            let before = told_at.insert((watch, id.as_str().unwrap().to_owned()), Instant::now()).unwrap_or(begin);
            longest = longest.max(before.elapsed());
        }
        sleep(Duration::from_millis(20)).await;
        next = answer(&session, &message).await;
    }
    assert_eq!(told_at.len(), 200 + 400 + 400, "each task was reported");
    let last = told_at.values().map(Instant::elapsed).max().unwrap();
    // About 200,000 bytes in messages of 8 KiB, one every 20 ms.
    assert!(longest < Duration::from_millis(1_200) && last < Duration::from_millis(1_200), "{longest:?}, {last:?}");
}

/// News that is larger than the limit of a slow page is sent anyway, and does not block the news behind it.
#[tokio::test(start_paused = true)]
async fn news_larger_than_a_message_is_sent_too() {
    let large = async |ctx: TaskContext<String>, _: String| {
        ctx.progress().message("m".repeat(1_000)).detail("d".repeat(4_000));
        std::future::pending::<Result<(), Failure>>().await
    };
    let policy = Policy { show_input: true, ..Policy::default() };
    let kinds = [(Arc::from("works"), Arc::new(Kind::new("works", policy, Errors::default(), large)))].into();
    let opened = Opened::with(delivery::manager(
        Runtimes::one(Handle::current()),
        kinds,
        Settings::default(),
        Clocks::of_tokio(|| 0),
    ));
    // Many followed tasks, so that each message has some of them.
    for _ in 0..100 {
        opened.follow(ticks(&opened, 5));
    }
    opened.list(1, TaskFilter::default().task("works").status(TaskStatus::Running));
    let input = Json::new(&"i".repeat(4_000)).unwrap();
    let owner = page("main").owner();
    let mut ids = HashSet::new();
    for _ in 0..3 {
        // By the end of the delay, the session knows how slow the page is.
        let (id, options) = (TaskId::new(), StartOptions::new().delay(Duration::from_secs(2)));
        let start = Start { id, task: "works", input: input.clone(), owner: owner.clone(), options, sees: &|_| true };
        engine(&opened.tasks).start(start).unwrap();
        ids.insert(("changed", id.to_string()));
    }
    let messages = opened.take_for(Duration::from_secs(4), |_| Duration::from_millis(20)).await;
    let listed: HashSet<_> = messages.iter().flat_map(|(_, message, _)| told(message)).collect();
    assert!(listed.is_superset(&ids), "{} of them", listed.len());
}

async fn answer(session: &Session, message: &Value) -> Option<Value> {
    let answer = session.acknowledge(message["message"].as_u64().unwrap()).await.unwrap();
    answer.map(|answer| serde_json::to_value(answer).unwrap())
}

impl Opened {
    fn next_pushed(&self) -> Option<Value> {
        let mut taken = self.taken.lock();
        let message = self.pushed.lock().get(*taken).map(|(_, message, _)| message.clone())?;
        *taken += 1;
        Some(message)
    }

    /// Takes messages for `time`, and acknowledges each after the `delay` for its size. Returns each with its time and
    /// size.
    async fn take_for(&self, time: Duration, delay: impl Fn(usize) -> Duration) -> Vec<(Instant, Value, usize)> {
        let session = self.session().unwrap();
        let (mut messages, mut next, begin) = (Vec::new(), None::<Value>, Instant::now());
        while begin.elapsed() < time {
            let Some(message) = next.take().or_else(|| self.next_pushed()) else {
                sleep(Duration::from_millis(1)).await;
                continue;
            };
            let size = message.to_string().len();
            messages.push((Instant::now(), message.clone(), size));
            sleep(delay(size)).await;
            next = answer(&session, &message).await;
        }
        messages
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_gets_one_message_a_frame_pushed_or_answered() {
    for slow_us in [0, 300, 5_000, 40_000] {
        let opened = Opened::new();
        for number in 0..100 {
            ticks(&opened, 5 + number % 40);
        }
        opened.list(1, TaskFilter::default());
        let mut messages = opened.take_for(Duration::from_secs(5), |_| Duration::from_micros(slow_us)).await;
        // Use the times of the pushes, not the times when they were taken.
        let pushed = opened.pushed.lock();
        for (at, message, _) in &mut messages {
            if let Some((pushed_at, ..)) = pushed.iter().find(|(_, other, _)| other["message"] == message["message"]) {
                *at = *pushed_at;
            }
        }
        assert!(messages.len() > if slow_us < 10_000 { 250 } else { 100 }, "{} messages", messages.len());
        assert!(messages.len() > pushed.len() + 20, "some were answered");
        let shortest = messages.windows(2).map(|pair| pair[1].0 - pair[0].0).min().unwrap();
        assert!(shortest >= FRAME, "{shortest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn changes_that_the_page_does_not_see_are_absorbed_once_a_frame() {
    let opened = Opened::new();
    for number in 0..50 {
        ticks(&opened, 30 + number);
    }
    let nobodys = View::new(page("main"), Scope::default());
    opened.session().unwrap().list(1, &TaskFilter::default(), nobodys, None).unwrap();
    let session = opened.session().unwrap();
    let mut looks = 0;
    let mut before = 0;
    for _ in 0..1_000 {
        sleep(Duration::from_millis(1)).await;
        // Something else reads the tasks, so that each report counts as a change.
        opened.tasks.list(&TaskFilter::default());
        let marks = session.watcher.len();
        looks += u32::from(marks < before);
        before = marks;
    }
    assert!((40..=59).contains(&looks), "absorbed {looks} times in a second");
}

#[tokio::test(start_paused = true)]
async fn the_size_of_an_answer_follows_the_speed_of_the_page() {
    let mut largest = BTreeMap::new();
    for us_per_kb in [1, 400, 3_000] {
        let opened = Opened::new();
        for _ in 0..600 {
            ticks(&opened, 25);
        }
        sleep(FRAME).await;
        opened.list(1, TaskFilter::default());
        let took = move |bytes: usize| Duration::from_micros(bytes as u64 * us_per_kb / 1_000);
        let messages = opened.take_for(Duration::from_secs(2), took).await;
        let settled = messages.iter().filter(|(at, ..)| at.elapsed() < Duration::from_secs(1));
        largest.insert(us_per_kb, settled.map(|(_, _, size)| *size).max().unwrap());
    }
    assert!(largest[&1] > 80_000, "all at once: {largest:?}");
    assert!((16_000..45_000).contains(&largest[&400]), "as much as takes a frame: {largest:?}");
    assert!(largest[&3_000] <= 8 * 1024, "as little as possible: {largest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_page_has_a_constant_cost_and_is_up_to_date_a_frame_after_it_wakes() {
    let opened = Opened::new();
    let ids: Vec<_> = (0..150).map(|_| ticks(&opened, 5)).collect();
    sleep(FRAME).await;
    opened.list(1, TaskFilter::default());
    let session = opened.session().unwrap();
    sleep(FRAME).await;
    let first = opened.next_pushed().unwrap();
    assert_eq!(first["more"], true);
    let weak: Vec<_> = {
        // Tasks start, end and are evicted while the page is frozen.
        let mut weak = Vec::new();
        for _ in 0..2_500 {
            for _ in 0..4 {
                let quick = opened.tasks.spawn("quick", async |_: TaskContext| Ok::<_, Failure>(()));
                weak.push(Arc::downgrade(&engine(&opened.tasks).find(quick.id()).unwrap()));
                quick.outcome().await;
                opened.tasks.remove(quick.id()).unwrap();
            }
            sleep(Duration::from_millis(2)).await;
        }
        weak
    };
    assert_eq!(weak.len(), 10_000);
    let held = session.outbox.lock().len() + session.watcher.len();
    assert!(held < 150 + 1_024 + 2 * 150 + 10, "{held} entries");
    let alive = weak.iter().filter(|weak| weak.strong_count() > 0).count();
    assert!(alive < 1_024 + 2 * 150, "{alive} of the tasks that were removed are kept");
    assert_eq!(opened.pushed.lock().len(), 1, "nothing is sent to a page that doesn't answer");
    let woken = Instant::now();
    let answer = answer(&session, &first).await.unwrap();
    assert!(woken.elapsed() <= Duration::from_millis(1), "the next frame has long been due");
    let told: HashSet<_> = told(&answer).into_iter().collect();
    assert_eq!(told.len(), 150, "no task that came and went");
    assert_eq!(answer["more"], false);
    for change in answer["lists"][0]["progressed"].as_array().unwrap() {
        let id: TaskId = change["id"].as_str().unwrap().parse().unwrap();
        assert!(ids.contains(&id));
        assert_eq!(change["progress"]["completed"], opened.tasks.get(id).unwrap().progress.completed);
    }
}

/// The page learns of the removal of each task that it has, although the tasks are not kept in memory for it.
#[tokio::test(start_paused = true)]
async fn tasks_that_were_removed_while_a_page_was_frozen_leave_its_lists_when_it_wakes() {
    let opened = Opened::new();
    let session = opened.session().unwrap();
    let known: Vec<_> = (0..300).map(|_| opened.hang()).collect();
    sleep(FRAME).await;
    opened.list(1, TaskFilter::default());
    ticks(&opened, 5);
    sleep(Duration::from_millis(100)).await;
    let first = opened.next_pushed().unwrap();
    // Makes enough changes that the session absorbs them.
    let flood = async || {
        for _ in 0..4_000 {
            let quick = opened.tasks.spawn("quick", async |_: TaskContext| Ok::<_, Failure>(()));
            quick.outcome().await;
            opened.tasks.remove(quick.id()).unwrap();
        }
    };
    let unknown: Vec<_> = (0..300).map(|_| opened.hang()).collect();
    for id in known.iter().chain(&unknown) {
        opened.tasks.cancel(*id).unwrap();
    }
    flood().await;
    assert!(session.outbox.lock().len() >= 600, "the removals wait for their turn");
    let weak: Vec<_> =
        known.iter().chain(&unknown).map(|id| Arc::downgrade(&engine(&opened.tasks).find(*id).unwrap())).collect();
    for id in known.iter().chain(&unknown) {
        opened.tasks.remove(*id).unwrap();
    }
    flood().await;
    assert!(weak.iter().all(|weak| weak.strong_count() == 0), "none is kept for the page");
    let held = session.outbox.lock().len();
    // The last tasks of the flood may be absorbed while they still exist.
    assert!(held <= known.len() + 10, "nothing is kept for tasks that the page never had: {held}");
    let mut left = HashSet::new();
    let mut next = Some(first);
    while let Some(message) = next.take().or_else(|| opened.next_pushed()) {
        left.extend(told(&message).into_iter().filter(|(sort, _)| *sort == "removed").map(|(_, id)| id));
        next = answer(&session, &message).await;
        sleep(FRAME).await;
        if left.len() == known.len() {
            break;
        }
    }
    assert_eq!(left, known.iter().map(ToString::to_string).collect());
}

/// Returns a session with an unacknowledged message that left something out.
async fn with_more() -> (Opened, Arc<Session>, u64) {
    let opened = Opened::new();
    for _ in 0..100 {
        opened.hang();
    }
    opened.list(1, TaskFilter::default().status(TaskStatus::Running));
    sleep(Duration::from_millis(1)).await;
    let pushed = opened.next_pushed().unwrap();
    assert_eq!(pushed["more"], true);
    let session = opened.session().unwrap();
    (opened, session, pushed["message"].as_u64().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_repeated_acknowledgement_is_answered_instead_of_the_first() {
    let (opened, session, number) = with_more().await;
    let (first, second) = tokio::join!(session.acknowledge(number), session.acknowledge(number));
    assert!(first.unwrap().is_none());
    let rest = second.unwrap().expect("the rest");
    assert_eq!(rest.message, number + 1);
    assert!(session.acknowledge(number).await.unwrap().is_none(), "a late repeat does nothing");
    assert!(opened.next_pushed().is_none());
    assert!(session.acknowledge(rest.message).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_watched_again_reports_only_later_changes() {
    let (opened, session, number) = with_more().await;
    assert_eq!(opened.list(1, TaskFilter::default()).len(), 100);
    assert!(session.acknowledge(number).await.unwrap().is_none(), "nothing has changed since the snapshots");
    assert_eq!(opened.take_all().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn the_rest_is_pushed_if_the_acknowledgement_is_dropped() {
    let (opened, session, number) = with_more().await;
    timeout(Duration::from_millis(5), session.acknowledge(number)).await.unwrap_err();
    sleep(FRAME).await;
    assert_eq!(opened.next_pushed().unwrap()["message"], number + 1);
    let at: Vec<_> = opened.pushed.lock().iter().map(|(at, ..)| *at).collect();
    assert!(at[1] - at[0] >= FRAME, "when the next frame is due");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_acknowledgement_fails_when_its_session_is_closed() {
    let (opened, session, number) = with_more().await;
    let before = Instant::now();
    let (answer, ()) =
        tokio::join!(session.acknowledge(number), async { opened.sessions.close_page("main", Departure::Reloads) });
    assert_eq!(answer.unwrap_err().kind, ErrorKind::SessionGone);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_unacknowledged_answer_ends_the_session_of_a_page_that_is_heard() {
    let (opened, session, number) = with_more().await;
    assert!(session.acknowledge(number).await.unwrap().is_some());
    sleep(Duration::from_secs(9)).await;
    assert!(session.acknowledge(number).await.unwrap().is_none(), "a late repeat shows that the page is there");
    sleep(Duration::from_secs(29)).await;
    assert!(opened.session().is_ok());
    assert!(session.acknowledge(number).await.unwrap().is_none(), "another one does not renew the lease");
    sleep(Duration::from_secs(2)).await;
    assert!(opened.session().is_ok(), "it may stand still since then");
    assert!(session.acknowledge(number).await.unwrap().is_none(), "it does not");
    sleep(Duration::from_secs(3)).await;
    assert!(opened.session().is_err());
}
