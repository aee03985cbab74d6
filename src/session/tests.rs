//! Tests sessions between the engine and the channel, in paused time: pages acknowledge late, twice or never, learn of
//! each change once and in order, and have a constant cost when they are gone.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};
use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::{
    message::{MessageText, PROTOCOL},
    outbox::Outbox,
    protocol::{
        page_signs::PageSigns,
        timing::{CATCH_UP, FRAME, HIDDEN_LIMIT, LEASE, PROBE, STEP, VISIBLE_LIMIT},
    },
    push_channel::PushChannel,
    session::Session,
    sessions::{Departure, Sessions},
};
use crate::{
    CancelReason, Error, ErrorKind, Failure, Json, OnOwnerClosed, StartOptions, TaskContext, TaskFilter, TaskId,
    TaskManager, TaskSnapshot, TaskStatus,
    access::{origins::LOCAL, page::Page, scope::Scope, view::View},
};
use tauri_plugin_tasks_engine::delivery::{
    self, ChangeSet, Clocks, Errors, Kind, Owner, Policy, Record, Runtimes, Settings, Start, engine,
};
use tauri_plugin_tasks_engine::test::{log::Log, manager};

/// How often a waiting page shows that it is alive.
const PING: Duration = Duration::from_secs(10);

mod bounds;
mod channels;
mod filling;
mod lists;
mod model;
mod pace;
mod readers;
mod secret_input;
mod shares;
mod silence;
mod sizes;
mod wire;

fn new_sessions() -> Arc<Sessions> {
    Arc::new(Sessions::new(HIDDEN_LIMIT, Box::new(|_| true), Box::new(|run| run())))
}

fn page(label: &str) -> Page {
    Page { label: label.into(), incarnation: 0, origin: LOCAL }
}

/// The messages pushed over a channel, each with its time.
type Pushed = Arc<Mutex<Vec<(Instant, Value, usize)>>>;

/// Returns the message in a payload, as a page does.
fn parsed(payload: &str) -> Value {
    let text: String = serde_json::from_str(payload).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn channel() -> (PushChannel, Pushed) {
    let pushed = Pushed::default();
    let to = Arc::clone(&pushed);
    let channel = Channel::new(move |body| {
        let InvokeResponseBody::Json(text) = body else { panic!("only JSON is pushed") };
        to.lock().push((Instant::now(), parsed(&text), text.len()));
        Ok(())
    });
    (PushChannel::at_once(channel), pushed)
}

impl Session {
    /// Follows a task that the page sees in any case.
    fn follow(&self, record: &Arc<Record>, every: Option<Duration>) -> TaskSnapshot {
        self.follow_told(record, None, every).unwrap()
    }
}

struct Opened {
    sessions: Arc<Sessions>,
    tasks: TaskManager,
    pushed: Pushed,
    taken: Mutex<usize>,
}

impl Opened {
    fn new() -> Self {
        Self::with(TaskManager::new(Handle::current()))
    }

    fn with(tasks: TaskManager) -> Self {
        Self::of(new_sessions(), tasks)
    }

    fn of(sessions: Arc<Sessions>, tasks: TaskManager) -> Self {
        let (channel, pushed) = channel();
        sessions.open("s", PROTOCOL, &page("main"), &tasks, channel).unwrap();
        Self { sessions, tasks, pushed, taken: Mutex::default() }
    }

    fn session(&self) -> Result<Arc<Session>, Error> {
        self.sessions.get("s", &page("main"))
    }

    fn list(&self, watch: u32, filter: TaskFilter) -> Vec<TaskSnapshot> {
        self.session().unwrap().list(watch, &filter, View::new(page("main"), Scope::everything()), None).unwrap()
    }

    fn follow(&self, id: TaskId) {
        self.session().unwrap().follow(&engine(&self.tasks).find(id).unwrap(), None);
    }

    /// Takes and acknowledges messages until no more come. Returns them.
    async fn take_all(&self) -> Vec<Value> {
        let session = self.session().unwrap();
        let (mut messages, mut idle) = (Vec::new(), 0);
        while idle < 4 {
            let pushed = self.pushed.lock().get(*self.taken.lock()).map(|(_, message, _)| message.clone());
            if pushed.is_some() {
                *self.taken.lock() += 1;
                idle = 0;
            } else {
                idle += 1;
                sleep(Duration::from_millis(500)).await;
            }
            let mut next = pushed;
            while let Some(message) = next {
                let answer = session.acknowledge(message["message"].as_u64().unwrap()).await.unwrap();
                messages.push(message);
                next = answer.map(|answer| serde_json::to_value(answer).unwrap());
            }
        }
        messages
    }

    /// Keeps the page alive for `time`, as the client does.
    async fn stay(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            sleep(PING.min(until - Instant::now())).await;
            let last = self.pushed.lock().len() as u64;
            self.session().unwrap().acknowledge(last).await.unwrap();
        }
    }

    fn hang(&self) -> TaskId {
        let task = self.tasks.spawn("hang", async |ctx: TaskContext| {
            ctx.progress().inc(1);
            std::future::pending::<Result<(), Failure>>().await
        });
        task.id()
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_never_answers_gets_one_message_and_loses_its_session_after_42_seconds() {
    let opened = Opened::new();
    let id = opened.hang();
    opened.follow(id);
    sleep(Duration::from_secs(41)).await;
    assert_eq!(opened.pushed.lock().len(), 1);
    assert!(opened.session().is_ok(), "it may still answer");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(opened.session().unwrap_err_kind(), ErrorKind::SessionGone);
    assert_eq!(opened.tasks.get(id).unwrap().status, crate::TaskStatus::Running, "its tasks go on");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_answers_keeps_its_session_while_nothing_happens() {
    let opened = Opened::new();
    opened.follow(opened.hang());
    sleep(Duration::from_secs(20)).await;
    opened.session().unwrap().acknowledge(1).await.unwrap();
    opened.stay(Duration::from_secs(3_600)).await;
    assert!(opened.session().is_ok());
    assert_eq!(opened.pushed.lock().len(), 1, "nothing happens, so nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn a_silent_page_is_sent_a_message_to_acknowledge() {
    let opened = Opened::new();
    opened.follow(opened.hang());
    sleep(FRAME).await;
    let opened = &opened;
    let answers = |number: u64| async move { opened.session().unwrap().acknowledge(number).await.unwrap() };
    answers(1).await;
    for number in 2..100 {
        sleep(PROBE.saturating_sub(FRAME)).await;
        assert_eq!(opened.pushed.lock().len() as u64, number - 1, "too early");
        sleep(2 * FRAME).await;
        let (_, message, _) = opened.pushed.lock().last().cloned().unwrap();
        assert_eq!(
            (&message["message"], &message["events"], &message["lists"]),
            (&number.into(), &json!([]), &json!([]))
        );
        assert!(answers(number).await.is_none());
    }
    sleep(VISIBLE_LIMIT + FRAME).await;
    assert_eq!(opened.session().unwrap_err_kind(), ErrorKind::SessionGone);
    assert_eq!(opened.pushed.lock().len(), 100, "once");
}

/// Starts one task of each of two kinds for the page `main`.
fn owned() -> (TaskManager, [TaskId; 2]) {
    let kinds = [OnOwnerClosed::GoOn, OnOwnerClosed::Cancel].map(|what| {
        let policy = Policy { on_owner_closed: what, ..Policy::default() };
        Kind::new(format!("{what:?}"), policy, Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        })
    });
    let tasks = manager(kinds, Settings::default());
    let ids = ["GoOn", "Cancel"].map(|task| start(&tasks, task, page("main").owner()));
    (tasks, ids)
}

fn start(tasks: &TaskManager, task: &str, owner: Owner) -> TaskId {
    let (id, options) = (TaskId::new(), StartOptions::new());
    engine(tasks).start(Start { id, task, input: Json::new(&()).unwrap(), owner, options, sees: &|_| true }).unwrap();
    id
}

#[tokio::test(start_paused = true)]
async fn tasks_of_a_page_that_stopped_answering_go_on_or_are_cancelled_as_their_kind_says() {
    let (tasks, [goes_on, cancelled]) = owned();
    let opened = Opened::with(tasks);
    opened.follow(goes_on);
    sleep(VISIBLE_LIMIT + FRAME).await;
    let tasks = &opened.tasks;
    assert!(opened.session().is_err());
    let ended = tasks.get(cancelled).unwrap();
    assert_eq!((ended.status, ended.cancel_reason), (TaskStatus::Cancelled, Some(CancelReason::OwnerClosed)));
    let still = tasks.get(goes_on).unwrap();
    assert_eq!((still.status, still.owner.as_deref()), (TaskStatus::Running, Some("main")), "the page may be back");
}

#[tokio::test(start_paused = true)]
async fn a_page_with_another_session_or_a_new_document_does_not_count_as_silent() {
    let (tasks, [_, task]) = owned();
    let opened = Opened::with(tasks);
    opened.follow(task);
    let (channel, _pushed) = channel();
    let second = || opened.sessions.get("second", &page("main"));
    opened.sessions.open("second", PROTOCOL, &page("main"), &opened.tasks, channel).unwrap();
    for _ in 0..6 {
        sleep(PING).await;
        second().unwrap().acknowledge(0).await.unwrap();
    }
    assert!(opened.session().is_err() && second().is_ok());
    opened.sessions.close_page("main", Departure::Reloads);
    sleep(VISIBLE_LIMIT).await;
    assert_eq!(opened.tasks.get(task).unwrap().status, TaskStatus::Running);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_never_used_ends_after_42_seconds() {
    let opened = Opened::new();
    sleep(Duration::from_secs(41)).await;
    assert!(opened.session().is_ok());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(opened.session().unwrap_err_kind(), ErrorKind::SessionGone, "the page left while it opened the session");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_the_page_has_not_acknowledged_is_logged() {
    let log = Log::capture();
    let opened = Opened::new();
    let fail = || opened.tasks.spawn("fails", async |_: TaskContext| Err::<(), _>(Failure::new("disk full"))).id();
    opened.follow(fail());
    sleep(FRAME).await;
    opened.session().unwrap().acknowledge(1).await.unwrap();
    opened.stay(Duration::from_secs(60)).await;
    assert_eq!(log.count("disk full"), 0, "the page knows");
    opened.follow(opened.hang());
    sleep(FRAME).await;
    let last = opened.pushed.lock().len() as u64;
    opened.session().unwrap().acknowledge(last).await.unwrap();
    let failed = opened.tasks.spawn("fails", async |_: TaskContext| {
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>(Failure::new("disk full"))
    });
    opened.follow(failed.id());
    drop(failed);
    sleep(FRAME).await;
    let last = opened.pushed.lock().len() as u64;
    opened.session().unwrap().acknowledge(last).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(opened.pushed.lock().len() as u64, last + 1, "the end is pushed");
    sleep(Duration::from_secs(60)).await;
    assert!(opened.session().is_err());
    assert_eq!(log.count("disk full"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_nobody_follows_has_no_watchers() {
    let opened = Opened::new();
    let record = engine(&opened.tasks).find(opened.hang()).unwrap();
    let session = opened.session().unwrap();
    session.follow(&record, None);
    session.follow(&record, None);
    assert_eq!(record.watchers(), 1);
    session.unfollow(record.id);
    assert_eq!(record.watchers(), 0);
    for _ in 0..100 {
        drop(opened.tasks.watch(record.id).unwrap());
    }
    assert_eq!(record.watchers(), 0);
    opened.tasks.cancel(record.id).unwrap();
    sleep(Duration::from_secs(1)).await;
    session.follow(&record, None);
    assert_eq!(record.watchers(), 0, "there is nothing to watch in an ended task");
}

#[tokio::test(start_paused = true)]
async fn a_list_reports_which_tasks_were_removed_and_evicted() {
    let opened = Opened::new();
    opened.list(1, TaskFilter::default());
    let quick = || opened.tasks.spawn("quick", async |_: TaskContext| Ok::<_, Failure>(()));
    let removed = quick();
    removed.outcome().await;
    opened.tasks.remove(removed.id()).unwrap();
    let evicted = quick();
    evicted.outcome().await;
    let mut messages = opened.take_all().await;
    opened.stay(Duration::from_secs(2 * 3_600)).await;
    let newest = quick();
    newest.outcome().await;
    messages.extend(opened.take_all().await);
    let mut left = Vec::new();
    let mut listed = std::collections::HashSet::new();
    for message in messages {
        for change in message["lists"].as_array().unwrap() {
            for task in change["changed"].as_array().unwrap() {
                listed.insert(task["id"].as_str().unwrap().to_owned());
            }
            for id in change["removed"].as_array().unwrap() {
                let id = id.as_str().unwrap().to_owned();
                assert!(listed.remove(&id), "only a task in the list can leave it");
                left.push(id);
            }
        }
    }
    assert!(left.contains(&evicted.id().to_string()), "{left:?}");
    assert!(listed.contains(&newest.id().to_string()) && listed.len() == 1, "{listed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_falls_in_a_list_too() {
    let opened = Opened::new();
    opened.tasks.spawn("stalls", async |ctx: TaskContext| {
        for _ in 0..50 {
            sleep(Duration::from_millis(100)).await;
            ctx.progress().inc(100);
        }
        std::future::pending::<Result<(), Failure>>().await
    });
    // Wait for the last report, so that only the list knows the rate.
    sleep(Duration::from_millis(5_050)).await;
    let listed = opened.list(1, TaskFilter::default());
    assert!(listed[0].progress.rate.is_some());
    sleep(Duration::from_secs(1)).await;
    let mut rates = Vec::new();
    for _ in 0..20 {
        for message in opened.take_all().await {
            rates.push(message["lists"][0]["progressed"][0]["progress"]["rate"].as_f64());
        }
    }
    assert!(rates.len() > 5 && rates[0].is_some_and(|rate| rate > 500.0), "{rates:?}");
    assert!(rates.is_sorted_by(|before, after| after.is_none() || after < before), "{rates:?}");
    assert_eq!(rates.last(), Some(&None), "after a while there is none");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_task_is_reported_even_if_its_error_is_huge() {
    struct Talkative;
    impl serde::Serialize for Talkative {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("\u{1}".repeat(600_000)))
        }
    }
    let opened = Opened::new();
    opened.follow(opened.tasks.spawn("talks", async |_: TaskContext| Ok::<_, Failure>(Talkative)).id());
    opened.follow(opened.tasks.spawn("other", async |_: TaskContext| Ok::<_, Failure>(())).id());
    let messages = opened.take_all().await;
    let events = messages.iter().flat_map(|message| message["events"].as_array().unwrap());
    let mut ends: Vec<_> = events.filter_map(|event| event["change"]["data"]["status"].as_str()).collect();
    ends.retain(|status| ["failed", "completed"].contains(status));
    ends.sort_unstable();
    assert_eq!(ends, ["completed", "failed"]);
}

/// Runs on real threads, since the tasks must compete with each other. Bounded by the number of messages.
#[test]
fn tasks_that_report_without_pause_leave_room_for_others() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let _entered = runtime.enter();
    let opened = Opened::new();
    let hot = |name: &str| {
        let task = opened.tasks.spawn(name, async |ctx: TaskContext| {
            let reporter = ctx.clone();
            ctx.spawn_blocking(move |token| {
                while !token.is_cancelled() {
                    reporter.progress().inc(1);
                }
            })
            .await;
            Ok::<_, Failure>(())
        });
        task.id()
    };
    let ids = [hot("one"), hot("two")];
    let mut outbox = Outbox::new(Instant::now(), PageSigns::new(Instant::now(), HIDDEN_LIMIT, false));
    let watcher = Arc::<ChangeSet<Record>>::default();
    for id in ids {
        let record = engine(&opened.tasks).find(id).unwrap();
        record.add_watcher(&watcher);
        outbox.follow(&record, None, None, Instant::now());
    }
    let mut now = Instant::now();
    let mut messages = 0;
    while messages < 1_000 {
        now += FRAME;
        let Some(message) = outbox.next_push(&watcher, false, now) else {
            // The tasks have not begun, or are waiting for a core.
            std::thread::yield_now();
            continue;
        };
        messages += 1;
        assert!(!message.more, "later changes wait for the next frame");
        outbox.acknowledge(message.message, now);
        let message = serde_json::to_value(message).unwrap();
        for id in ids {
            let told = message["events"].as_array().unwrap().iter();
            let told =
                told.filter(|event| event["id"] == id.to_string() && event["change"]["type"] == "progress").count();
            assert!(told <= 1, "{told} progress events of one task in one message");
        }
    }
    for id in ids {
        opened.tasks.cancel(id).unwrap();
    }
}

/// Runs on real threads. For each pair of locks, there are two calls that take both.
#[test]
fn concurrent_calls_never_deadlock() {
    const ROUNDS: usize = 3_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let _entered = runtime.enter();
    let quick =
        Kind::new("quick", Default::default(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(()));
    let kinds = [(Arc::from("quick"), Arc::new(quick))].into();
    let opened = Opened::with(delivery::manager(
        Runtimes::one(Handle::current()),
        kinds,
        Settings::default(),
        Clocks::of_tokio(|| 0),
    ));
    let session = opened.session().unwrap();
    let id = TaskId::new();
    std::thread::scope(|scope| {
        let start = || {
            let start = Start {
                id,
                task: "quick",
                input: Json::new(&()).unwrap(),
                owner: page("main").owner(),
                options: StartOptions::new(),
                sees: &|_| true,
            };
            let started = engine(&opened.tasks).start(start).unwrap();
            session.follow(started.record(), None);
        };
        scope.spawn(move || (0..ROUNDS).for_each(|_| start()));
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                session.list(1, &TaskFilter::default(), View::new(page("main"), Scope::everything()), None).unwrap();
                session.unlist(1);
            }
        });
        scope.spawn(|| (0..ROUNDS as u64).for_each(|number| drop(runtime.block_on(session.acknowledge(number)))));
        scope.spawn(|| (0..ROUNDS).for_each(|_| session.unfollow(id)));
        scope.spawn(|| (0..ROUNDS).for_each(|_| engine(&opened.tasks).disown(|_| false)));
    });
}

#[tokio::test(start_paused = true)]
async fn a_reload_closes_the_sessions_of_a_page_and_a_repeated_open_does_not_reopen_them() {
    let opened = Opened::new();
    let (other, _) = channel();
    opened.sessions.open("elsewhere", PROTOCOL, &page("second"), &opened.tasks, other).unwrap();
    opened.follow(opened.hang());
    opened.sessions.close_page("main", Departure::Reloads);
    assert_eq!(opened.session().unwrap_err_kind(), ErrorKind::SessionGone);
    assert!(opened.sessions.get("elsewhere", &page("second")).is_ok());
    let (again, pushed) = channel();
    let refused = opened.sessions.open("s", PROTOCOL, &page("main"), &opened.tasks, again);
    assert_eq!(refused.unwrap_err().kind, ErrorKind::SessionGone);
    sleep(Duration::from_secs(1)).await;
    assert!(pushed.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_belongs_to_one_page() {
    let opened = Opened::new();
    assert!(opened.sessions.get("s", &page("second")).is_err());
    assert!(opened.sessions.get("s", &Page { incarnation: 1, ..page("main") }).is_err(), "a new webview, same label");
    assert!(opened.sessions.get("s", &Page { origin: 1, ..page("main") }).is_err(), "a remote document");
    let (foreign, _) = channel();
    assert!(opened.sessions.open("s", PROTOCOL, &page("second"), &opened.tasks, foreign).is_err());
    let (repeated, pushed) = channel();
    opened.sessions.open("s", PROTOCOL, &page("main"), &opened.tasks, repeated).unwrap();
    opened.follow(opened.hang());
    sleep(FRAME).await;
    assert!(pushed.lock().is_empty(), "a repeated open changes nothing");
    assert_eq!(opened.pushed.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_falls_in_the_page_while_nothing_happens() {
    let opened = Opened::new();
    let task = opened.tasks.spawn("stalls", async |ctx: TaskContext| {
        for _ in 0..50 {
            sleep(Duration::from_millis(100)).await;
            ctx.progress().inc(100);
        }
        std::future::pending::<Result<(), Failure>>().await
    });
    opened.follow(task.id());
    let mut rates = Vec::new();
    for _ in 0..2_000 {
        sleep(Duration::from_millis(10)).await;
        let last = opened.pushed.lock().last().cloned();
        if let Some((_, message, _)) = last {
            opened.session().unwrap().acknowledge(message["message"].as_u64().unwrap()).await.unwrap();
            rates.push(message["events"].as_array().unwrap().last().unwrap()["change"]["data"]["rate"].as_f64());
        }
    }
    let highest = rates.iter().flatten().fold(0.0_f64, |a, b| a.max(*b));
    assert!((highest - 1_000.0).abs() < 100.0, "{highest}");
    assert_eq!(rates.last(), Some(&None), "the rate expires");
    let count = opened.pushed.lock().len();
    opened.stay(Duration::from_secs(3_600)).await;
    assert_eq!(opened.pushed.lock().len(), count, "then nothing more is pushed");
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_only_what_its_page_may_see() {
    let opened = Opened::new();
    let id = opened.hang();
    let view = View::new(page("main"), Scope::default());
    assert!(
        opened.session().unwrap().list(1, &TaskFilter::default(), view, None).unwrap().is_empty(),
        "the app's task is not this page's"
    );
    opened.tasks.cancel(id).unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(opened.pushed.lock().iter().all(|(_, message, _)| message["lists"] == serde_json::json!([])));
}

trait KindOfRefusal {
    fn unwrap_err_kind(self) -> ErrorKind;
}

impl<T> KindOfRefusal for Result<T, Error> {
    fn unwrap_err_kind(self) -> ErrorKind {
        match self {
            Ok(_) => panic!("expected a refusal"),
            Err(error) => error.kind,
        }
    }
}

/// One task of a random run: it reports a long message, counts in steps and ends.
#[derive(Debug, Clone)]
struct Script {
    steps: Vec<u64>,
    message_bytes: usize,
    output_bytes: usize,
    follow_after: u64,
}

fn scripts() -> impl Strategy<Value = Vec<Script>> {
    let script = (prop::collection::vec(0..400_u64, 0..12), 0..900_usize, 0..6_000_usize, 0..600_u64).prop_map(
        |(steps, message_bytes, output_bytes, follow_after)| Script {
            steps,
            message_bytes,
            output_bytes,
            follow_after,
        },
    );
    prop::collection::vec(script, 1..25)
}

async fn work(ctx: TaskContext, script: Script) -> Result<String, Failure> {
    ctx.progress().message("m".repeat(script.message_bytes));
    for ms in script.steps {
        sleep(Duration::from_millis(ms)).await;
        ctx.progress().inc(1);
    }
    Ok("o".repeat(script.output_bytes))
}

/// What a page knows about one task from its messages.
#[derive(Debug, Default)]
struct Known {
    sequence: u64,
    completed: u64,
    ended: bool,
}

async fn a_page_takes_its_messages(scripts: Vec<Script>, delays: Vec<u64>, repeat: bool) {
    let opened = Opened::new();
    let session = opened.session().unwrap();
    let known = Arc::new(Mutex::new(HashMap::<String, Known>::new()));
    let mut steps_of = HashMap::new();
    for script in scripts.clone() {
        let steps = script.steps.len() as u64;
        let follow_after = script.follow_after;
        let id = opened.tasks.spawn("script", move |ctx| work(ctx, script)).id();
        steps_of.insert(id.to_string(), steps);
        let (tasks, session, known) = (opened.tasks.clone(), Arc::clone(&session), Arc::clone(&known));
        tokio::spawn(async move {
            sleep(Duration::from_millis(follow_after)).await;
            let mut known = known.lock();
            let snapshot = session.follow(&engine(&tasks).find(id).unwrap(), None);
            let ended = snapshot.status.is_final();
            known.insert(
                id.to_string(),
                Known { sequence: snapshot.sequence, completed: snapshot.progress.completed, ended },
            );
        });
    }
    let take = |message: &Value| {
        let mut known = known.lock();
        for event in message["events"].as_array().unwrap() {
            let id = event["id"].as_str().unwrap();
            let task = known.get_mut(id).expect("only followed tasks are reported");
            assert!(!task.ended, "reported after its end: {event}");
            let data = &event["change"]["data"];
            if event["change"]["type"] == "progress" {
                task.completed = data["completed"].as_u64().unwrap();
                continue;
            }
            assert_eq!(event["change"]["type"], "status", "nothing was missed");
            assert_eq!(event["sequence"].as_u64().unwrap(), task.sequence + 1, "in order");
            task.sequence += 1;
            if data["status"] == "completed" {
                task.ended = true;
                assert_eq!(task.completed, steps_of[id], "the newest progress came before the end");
            }
        }
    };
    let (mut taken, mut delays) = (0, delays.into_iter().cycle());
    let deadline = Instant::now() + Duration::from_secs(600);
    let all_told = || known.lock().len() == scripts.len() && known.lock().values().all(|task| task.ended);
    while !all_told() && Instant::now() < deadline {
        let Some((_, message, _)) = opened.pushed.lock().get(taken).cloned() else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        taken += 1;
        let mut next = Some(message);
        while let Some(message) = next {
            take(&message);
            sleep(Duration::from_millis(delays.next().unwrap_or(0))).await;
            let number = message["message"].as_u64().unwrap();
            next = session.acknowledge(number).await.unwrap().map(|answer| serde_json::to_value(answer).unwrap());
            if repeat && next.is_none() {
                assert!(session.acknowledge(number).await.unwrap().is_none(), "a repeat does nothing");
            }
        }
    }
    let known = known.lock();
    assert_eq!(known.len(), scripts.len());
    assert!(known.values().all(|task| task.ended), "every end was reported: {known:?}");
    let pushed = opened.pushed.lock();
    assert!(pushed.iter().all(|(_, _, size)| *size < 8 * 1024), "each message is small enough to be pushed");
    assert!(pushed.windows(2).all(|pair| pair[1].0 - pair[0].0 >= FRAME), "at most one a frame");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_page_learns_everything_once_and_in_order_whatever_it_does(
        scripts in scripts(),
        delays in prop::collection::vec(prop_oneof![Just(0), 1..3_000_u64], 1..8),
        repeat: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(a_page_takes_its_messages(scripts, delays, repeat));
    }
}
