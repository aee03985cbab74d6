//! What a page is told of its lists, how often, and how much at a time.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use tokio::{sync::Notify, time::timeout};

use super::*;
use crate::{LimitOf, TaskStatus};
use tauri_plugin_tasks_engine::delivery::Policy;

/// A task that counts one up whenever `tick` says so.
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

/// A task that counts one up each so many milliseconds.
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

/// What is in the list changes of a message: sort and id.
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
async fn of_a_task_that_goes_on_only_the_progress_is_told() {
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
async fn what_is_as_it_was_told_is_not_told_again() {
    let opened = Opened::new();
    opened.tasks.set_limit(LimitOf::App, Some(0)).unwrap();
    let waits = opened.hang();
    opened.tasks.hold(waits).unwrap();
    opened.list(1, TaskFilter::default());
    opened.tasks.hold(waits).unwrap();
    opened.tasks.set_priority(waits, 0).unwrap();
    assert_eq!(opened.take_all().await, Vec::<Value>::new());
    opened.tasks.release(waits).unwrap();
    opened.tasks.hold(waits).unwrap();
    assert_eq!(opened.take_all().await, Vec::<Value>::new(), "it is held as it was");
}

/// Whatever there is in a snapshot beside the progress, some with a status change and some without.
#[tokio::test(start_paused = true)]
async fn a_task_of_which_anything_else_has_changed_is_told_as_a_whole() {
    type Change = fn(&Opened, TaskId);
    let free: Change = |opened, _| opened.tasks.set_limit(LimitOf::App, None).unwrap();
    let disown: Change = |opened, _| engine(&opened.tasks).disown(|owner| owner.label() == Some("main"));
    let cancel: Change = |opened, id| opened.tasks.cancel(id, CancelReason::User).map(drop).unwrap();
    let waiting: [(&str, Change); 6] = [
        ("owner", disown),
        ("queue", |opened, id| opened.tasks.hold(id).unwrap()),
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
            // Its place stays what it is: none.
            opened.tasks.hold(id).unwrap();
        }
        is_told_as_a_whole(&opened, id, field, change).await;
    }
    for (field, change) in [("owner", disown), ("status", cancel), ("cancelReason", cancel), ("endedAt", cancel)] {
        let opened = Opened::with(works());
        let id = start(&opened, StartOptions::new());
        is_told_as_a_whole(&opened, id, field, change).await;
    }
}

/// Tasks of a page that go on for ever.
fn works() -> TaskManager {
    let kind = Kind::new("works", Default::default(), Errors::default(), async |_: TaskContext, (): ()| {
        std::future::pending::<Result<(), Failure>>().await
    });
    let kinds = [(Arc::from("works"), Arc::new(kind))].into();
    delivery::manager(Handle::current(), kinds, Settings::default(), || 0)
}

fn start(opened: &Opened, options: StartOptions) -> TaskId {
    let id = TaskId::new();
    let owner = page("main").owner();
    let start = Start { id, task: "works", input: Json::null(), owner, options, sees: &|_| true };
    engine(&opened.tasks).start(start).unwrap();
    id
}

async fn is_told_as_a_whole(opened: &Opened, id: TaskId, field: &str, change: fn(&Opened, TaskId)) {
    sleep(FRAME).await;
    let before = opened.list(1, TaskFilter::default());
    let before = serde_json::to_value(&before[0]).unwrap();
    change(opened, id);
    let messages = opened.take_all().await;
    let last = messages.last().unwrap_or_else(|| panic!("{field} is told"));
    assert_eq!(told(last), [("changed", id.to_string())], "{field}");
    let snapshot = &last["lists"][0]["changed"][0];
    assert_eq!(*snapshot, serde_json::to_value(opened.tasks.get(id).unwrap()).unwrap());
    assert_ne!(snapshot[field], before[field], "{field}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_becomes_overdue_is_told_as_a_whole() {
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
    // Time stands still while a thread works.
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

/// More than fits, in two lists and of tasks that are followed: each has its turn.
#[tokio::test(start_paused = true)]
async fn nobody_starves() {
    let opened = Opened::new();
    let ids: Vec<_> = (0..400).map(|_| ticks(&opened, 5)).collect();
    sleep(FRAME).await;
    for watch in [1, 2] {
        opened.list(watch, TaskFilter::default());
    }
    ids[..200].iter().for_each(|id| opened.follow(*id));
    let session = opened.session().unwrap();
    // A page so slow that it never gets large answers.
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
    assert_eq!(told_at.len(), 200 + 400 + 400, "each of them was told");
    let last = told_at.values().map(Instant::elapsed).max().unwrap();
    // Some 200,000 bytes in messages of 8 KiB, one each 20 ms.
    assert!(longest < Duration::from_millis(1_200) && last < Duration::from_millis(1_200), "{longest:?}, {last:?}");
}

/// What is larger than a slow page gets at a time comes all the same, and does not hold up what is behind it.
#[tokio::test(start_paused = true)]
async fn what_is_larger_than_a_message_comes_too() {
    let large = async |ctx: TaskContext<String>, _: String| {
        ctx.progress().message("m".repeat(1_000))?;
        ctx.progress().detail("d".repeat(4_000))?;
        std::future::pending::<Result<(), Failure>>().await
    };
    let policy = Policy { show_input: true, ..Policy::default() };
    let kinds = [(Arc::from("works"), Arc::new(Kind::new("works", policy, Errors::default(), large)))].into();
    let opened = Opened::with(delivery::manager(Handle::current(), kinds, Settings::default(), || 0));
    // Many that are followed, so that each message has some of them.
    for _ in 0..100 {
        opened.follow(ticks(&opened, 5));
    }
    opened.list(1, TaskFilter::default().task("works").status(TaskStatus::Running));
    let input = Json::new(&"i".repeat(4_000)).unwrap();
    let owner = page("main").owner();
    let mut ids = HashSet::new();
    for _ in 0..3 {
        // When it is known how slow the page is.
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

    /// For as long as this: takes each message and acknowledges it after `delay` of its size. Answers when each came and
    /// how large it was.
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
        // The time they were pushed, not the time they were taken.
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
async fn changes_that_the_page_does_not_see_are_looked_at_once_a_frame() {
    let opened = Opened::new();
    for number in 0..50 {
        ticks(&opened, 30 + number);
    }
    let nobodys = View::new(page("main"), Scope::default());
    opened.session().unwrap().list(1, TaskFilter::default(), nobodys);
    let session = opened.session().unwrap();
    let mut looks = 0;
    let mut before = 0;
    for _ in 0..1_000 {
        sleep(Duration::from_millis(1)).await;
        // Somebody else looks at them, so that they tell of every report.
        opened.tasks.list(&TaskFilter::default());
        let marks = session.watcher.len();
        looks += u32::from(marks < before);
        before = marks;
    }
    assert!((40..=59).contains(&looks), "{looks} looks in a second");
}

#[tokio::test(start_paused = true)]
async fn how_much_comes_at_once_follows_how_quick_the_page_is() {
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
    assert!((16_000..45_000).contains(&largest[&400]), "what takes a frame: {largest:?}");
    assert!(largest[&3_000] <= 8 * 1024, "as little as can be: {largest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_page_costs_no_more_the_longer_it_is_and_is_right_a_frame_after_it_wakes() {
    let opened = Opened::new();
    let ids: Vec<_> = (0..150).map(|_| ticks(&opened, 5)).collect();
    sleep(FRAME).await;
    opened.list(1, TaskFilter::default());
    let session = opened.session().unwrap();
    sleep(FRAME).await;
    let first = opened.next_pushed().unwrap();
    assert_eq!(first["more"], true);
    let weak: Vec<_> = {
        // Tasks come, end and are forgotten while the page is frozen.
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
    assert!(woken.elapsed() <= Duration::from_millis(1), "it has waited long enough");
    let told: HashSet<_> = told(&answer).into_iter().collect();
    assert_eq!(told.len(), 150, "nothing of what has come and gone");
    assert_eq!(answer["more"], false);
    for change in answer["lists"][0]["progressed"].as_array().unwrap() {
        let id: TaskId = change["id"].as_str().unwrap().parse().unwrap();
        assert!(ids.contains(&id));
        assert_eq!(change["progress"]["completed"], opened.tasks.get(id).unwrap().progress.completed);
    }
}

/// Nothing that the page has is forgotten, though what it was is not kept.
#[tokio::test(start_paused = true)]
async fn what_a_frozen_page_has_and_the_engine_not_any_more_is_removed_when_it_wakes() {
    let opened = Opened::new();
    let session = opened.session().unwrap();
    let known: Vec<_> = (0..300).map(|_| opened.hang()).collect();
    sleep(FRAME).await;
    opened.list(1, TaskFilter::default());
    ticks(&opened, 5);
    sleep(Duration::from_millis(100)).await;
    let first = opened.next_pushed().unwrap();
    // So many that the changes so far are looked through.
    let flood = async || {
        for _ in 0..4_000 {
            let quick = opened.tasks.spawn("quick", async |_: TaskContext| Ok::<_, Failure>(()));
            quick.outcome().await;
            opened.tasks.remove(quick.id()).unwrap();
        }
    };
    let unknown: Vec<_> = (0..300).map(|_| opened.hang()).collect();
    for id in known.iter().chain(&unknown) {
        opened.tasks.cancel(*id, CancelReason::User).unwrap();
    }
    flood().await;
    assert!(session.outbox.lock().len() >= 600, "they wait for their turn");
    let weak: Vec<_> =
        known.iter().chain(&unknown).map(|id| Arc::downgrade(&engine(&opened.tasks).find(*id).unwrap())).collect();
    for id in known.iter().chain(&unknown) {
        opened.tasks.remove(*id).unwrap();
    }
    flood().await;
    assert!(weak.iter().all(|weak| weak.strong_count() == 0), "none is kept for the page");
    let held = session.outbox.lock().len();
    // The last one of the flood may be looked at while it lives.
    assert!(held <= known.len() + 10, "nor anything of those that it never had: {held}");
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

/// A session with a message out that leaves something over.
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
async fn an_acknowledgement_that_is_repeated_while_the_first_one_waits_is_answered_instead() {
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
async fn a_list_that_is_asked_for_again_is_told_from_there_on() {
    let (opened, session, number) = with_more().await;
    assert_eq!(opened.list(1, TaskFilter::default()).len(), 100);
    assert!(session.acknowledge(number).await.unwrap().is_none(), "all is as it was answered");
    assert_eq!(opened.take_all().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_any_more_is_pushed() {
    let (opened, session, number) = with_more().await;
    timeout(Duration::from_millis(5), session.acknowledge(number)).await.unwrap_err();
    sleep(FRAME).await;
    assert_eq!(opened.next_pushed().unwrap()["message"], number + 1);
    let at: Vec<_> = opened.pushed.lock().iter().map(|(at, ..)| *at).collect();
    assert!(at[1] - at[0] >= FRAME, "when the next frame is due");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_waits_learns_that_its_session_is_closed() {
    let (opened, session, number) = with_more().await;
    let before = Instant::now();
    let (answer, ()) =
        tokio::join!(session.acknowledge(number), async { opened.sessions.close_page("main", Departure::MayReturn) });
    assert_eq!(answer.unwrap_err().kind, ErrorKind::SessionGone);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_page_does_not_acknowledge_ends_the_session_with_its_lease() {
    let (opened, session, number) = with_more().await;
    assert!(session.acknowledge(number).await.unwrap().is_some());
    sleep(Duration::from_secs(29)).await;
    assert!(opened.session().is_ok());
    assert!(session.acknowledge(number).await.unwrap().is_none(), "nor does a late repeat renew it");
    sleep(Duration::from_secs(2)).await;
    assert!(opened.session().is_err());
}
