//! Spans, counts, and the retention of ended tasks.

use std::{
    fmt::{Debug, Write as _},
    io,
    sync::{Arc, mpsc},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::sleep;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

use super::manager;
use crate::{
    BatchOptions, ErrorKind, Failure, LimitOf, Retention, Retry, TaskContext, TaskCounts, TaskFilter, TaskHandle,
    TaskId, TaskManager,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        // Spans have the level debug.
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::DEBUG);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.text().matches(what).count()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The events of the spans on this thread, one line each.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl Spans {
    fn capture() -> (Self, DefaultGuard) {
        let spans = Self::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
        (spans, guard)
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent()).map(|parent| format!("{} > ", parent.name()));
        let mut line = Line(format!("{}{}", parent.unwrap_or_default(), attributes.metadata().name()));
        attributes.record(&mut line);
        self.0.lock().push(line.0);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut line = Line(context.span(id).unwrap().name().to_owned());
        values.record(&mut line);
        self.0.lock().push(line.0);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.0.lock().push(format!("{} closed", context.span(&id).unwrap().name()));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

/// A kind that fails, hangs, or returns a text of as many bytes as its input says.
fn by_input(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |_: TaskContext, input: i64| match usize::try_from(input) {
        Ok(bytes) => Ok("x".repeat(bytes)),
        Err(_) if input == -1 => Err(Failure::new("no")),
        Err(_) => std::future::pending().await,
    })
}

const FAILS: i64 = -1;
const HANGS: i64 = -2;

async fn settle() {
    sleep(Duration::from_millis(200)).await;
}

// Spans.

#[tokio::test(start_paused = true)]
async fn a_task_and_each_of_its_attempts_is_a_span() {
    let (spans, _guard) = Spans::capture();
    let policy = Policy { retry: Some(Retry::attempts(2)), ..Policy::default() };
    let tasks = manager([by_input("load", policy)], Settings::default());
    let task = tasks.start("load", FAILS).unwrap();
    task.outcome().await;
    let of = format!("kind=load id={}", task.id());
    let expected = [
        format!("task {of} status=queued"),
        "task status=running".into(),
        format!("task > attempt {of} attempt=1 status=running"),
        "attempt status=failed".into(),
        "task status=retrying".into(),
        "attempt closed".into(),
        "task status=queued".into(),
        "task status=running".into(),
        format!("task > attempt {of} attempt=2 status=running"),
        "attempt status=failed".into(),
        "task status=failed".into(),
        "attempt closed".into(),
    ];
    let lines: Vec<_> = spans.lines().into_iter().map(|line| line.to_lowercase()).collect();
    assert_eq!(lines[..expected.len()], expected);
}

#[tokio::test(start_paused = true)]
async fn a_span_shows_each_status_by_its_name() {
    let (spans, _guard) = Spans::capture();
    let policy = Policy { retry: Some(Retry::attempts(2)), ..Policy::default() };
    manager([by_input("load", policy)], Settings::default()).start("load", FAILS).unwrap().outcome().await;
    let queued = spans.lines().into_iter().filter(|line| line.to_lowercase().contains("status=queued"));
    let spellings: Vec<_> = queued.map(|line| line.split("status=").nth(1).unwrap().to_owned()).collect();
    assert_eq!(spellings, ["queued", "queued"]);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_task_closes_at_its_end_even_if_the_task_is_kept() {
    let (spans, _guard) = Spans::capture();
    let tasks = manager([by_input("load", Policy::default())], Settings::default());
    let task = tasks.start("load", 1).unwrap();
    task.outcome().await;
    settle().await;
    assert!(tasks.get(task.id()).is_ok(), "it is kept");
    assert!(spans.lines().contains(&"task closed".to_owned()), "{:?}", spans.lines());
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_handler_names_its_task_and_attempt() {
    let (log, _guard) = Log::capture();
    let tasks = manager([], Settings::default());
    let task = tasks.spawn("sync", async |ctx: TaskContext| {
        tracing::info!("hello");
        ctx.on_cancel(async { tracing::info!("good-bye") });
        std::future::pending::<Result<(), Failure>>().await
    });
    settle().await;
    task.cancel().unwrap();
    task.outcome().await;
    for words in ["hello", "good-bye"] {
        let text = log.text();
        let line = text.lines().find(|line| line.contains(words)).unwrap();
        assert!(line.contains(&format!("task{{kind=\"sync\" id={}", task.id())), "{line}");
        assert!(line.contains("attempt=1"), "{line}");
    }
}

/// Asks for the tasks at each event of a span, on another thread, so that the test notices if the answer never comes.
struct Asks {
    tasks: TaskManager,
    unanswered: Arc<Mutex<Vec<&'static str>>>,
}

impl Asks {
    fn ask(&self, when: &'static str) {
        let (answer, answered) = mpsc::channel();
        let tasks = self.tasks.clone();
        std::thread::spawn(move || answer.send(tasks.list(&TaskFilter::default()).len()));
        if answered.recv_timeout(Duration::from_millis(500)).is_err() {
            self.unanswered.lock().push(when);
        }
    }
}

impl<S: Subscriber> Layer<S> for Asks {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.ask("a new span");
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.ask("a new status");
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.ask("a span's end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_to_spans_may_ask_for_tasks() {
    let policy = Policy { retry: Some(Retry::attempts(2)), ..Policy::default() };
    let tasks = manager([by_input("load", policy)], Settings { retention: few(0), ..Settings::default() });
    let unanswered = Arc::<Mutex<Vec<_>>>::default();
    let asks = Asks { tasks: tasks.clone(), unanswered: Arc::clone(&unanswered) };
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(asks));
    tasks.start("load", FAILS).unwrap().outcome().await;
    let batch = tasks.batch("load", [1, HANGS], BatchOptions::new()).unwrap();
    settle().await;
    batch.cancel().unwrap();
    batch.outcome().await;
    assert_eq!(*unanswered.lock(), Vec::<&str>::new(), "these events were sent under a lock");
}

// Counts.

fn count(tasks: &TaskManager, kind: Option<&str>) -> TaskCounts {
    tasks.counts().into_iter().find(|counts| counts.task.as_deref() == kind).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_call_counts_the_tasks_of_each_kind_by_status() {
    let load = Policy { concurrency: Some(3), group: Some("net".into()), ..Policy::default() };
    let tasks = manager([by_input("b", load), by_input("a", Policy::default())], Settings::default());
    let names: Vec<_> = tasks.counts().into_iter().map(|counts| counts.task).collect();
    assert_eq!(names, [Some("a".into()), Some("b".into()), None], "by name, with spawned tasks last");

    let started = [1, FAILS, HANGS, HANGS, HANGS, HANGS, HANGS].map(|input| tasks.start("b", input).unwrap());
    settle().await;
    started[2].cancel().unwrap();
    settle().await;
    let expected = TaskCounts {
        task: Some("b".into()),
        limit: Some(3),
        group: Some("net".into()),
        queued: 1,
        running: 3,
        retrying: 0,
        cancelling: 0,
        completed: 1,
        failed: 1,
        cancelled: 1,
        timed_out: 0,
    };
    assert_eq!(count(&tasks, Some("b")), expected);
    let none = TaskCounts { task: Some("a".into()), limit: None, group: None, queued: 0, ..expected.clone() };
    assert_eq!(count(&tasks, Some("a")), TaskCounts { running: 0, completed: 0, failed: 0, cancelled: 0, ..none });
    tasks.set_limit(LimitOf::Task("b".into()), 9).unwrap();
    settle().await;
    let counts = count(&tasks, Some("b"));
    assert_eq!((counts.limit, counts.queued, counts.running), (Some(9), 0, 4));
}

#[tokio::test(start_paused = true)]
async fn retrying_cancelling_and_timed_out_tasks_are_counted() {
    let policy =
        Policy { retry: Some(Retry::attempts(2)), timeout: Some(Duration::from_millis(300)), ..Policy::default() };
    let stays = Kind::new("stays", Policy::default(), Errors::default(), async |ctx: TaskContext, (): ()| {
        let _token = ctx.token();
        std::future::pending::<Result<(), Failure>>().await
    });
    let tasks = manager([by_input("load", policy), stays], Settings::default());
    tasks.start("load", FAILS).unwrap();
    tasks.start("load", HANGS).unwrap();
    let stays = tasks.start("stays", ()).unwrap();
    settle().await;
    stays.cancel().unwrap();
    assert_eq!((count(&tasks, Some("load")).retrying, count(&tasks, Some("stays")).cancelling), (1, 1));
    settle().await;
    let counts = count(&tasks, Some("load"));
    assert_eq!((counts.retrying, counts.running, counts.timed_out), (0, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn spawned_tasks_are_counted_together_and_batches_are_not_counted() {
    let tasks = manager([by_input("load", Policy::default())], Settings::default());
    for name in ["one", "other"] {
        tasks.spawn(name, async |_: TaskContext| Ok::<_, Failure>(())).outcome().await;
    }
    tasks.batch("load", [1, 1, FAILS], BatchOptions::new()).unwrap().outcome().await;
    assert_eq!(count(&tasks, None).completed, 2);
    let counts = count(&tasks, Some("load"));
    assert_eq!((counts.completed, counts.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_stay_counted_and_refused_ones_never_are() {
    let settings = Settings { retention: few(0), ..Settings::default() };
    let tasks = manager([by_input("load", Policy { queue_limit: Some(0), ..Policy::default() })], settings);
    for _ in 0..5 {
        tasks.start("load", 1).unwrap().outcome().await;
    }
    tasks.set_limit(LimitOf::App, 0).unwrap();
    tasks.start("load", 1).unwrap_err();
    assert_eq!(tasks.list(&TaskFilter::default()), []);
    let counts = count(&tasks, Some("load"));
    assert_eq!((counts.completed, counts.queued), (5, 0));
}

// Retention.

fn few(count: usize) -> Retention {
    Retention::default().count(count)
}

async fn ended(tasks: &TaskManager, input: i64) -> TaskHandle {
    let task = tasks.start("load", input).unwrap();
    task.outcome().await;
    task
}

fn kept(tasks: &TaskManager) -> Vec<TaskId> {
    tasks.list(&TaskFilter::default()).into_iter().map(|task| task.id).collect()
}

fn keeper(retention: Retention) -> TaskManager {
    manager([by_input("load", Policy::default())], Settings { retention, ..Settings::default() })
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_are_kept_up_to_a_number_and_live_ones_always() {
    let tasks = keeper(few(2));
    let live = [HANGS, HANGS].map(|input| tasks.start("load", input).unwrap().id());
    let [_, second, third] = [ended(&tasks, 1).await, ended(&tasks, FAILS).await, ended(&tasks, 1).await];
    assert_eq!(kept(&tasks), [live[0], live[1], second.id(), third.id()]);
    assert_eq!(tasks.get(second.id()).unwrap().id, second.id());
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_are_kept_for_a_time() {
    let tasks = keeper(Retention::default().age(Duration::from_secs(60)));
    let task = tasks.start("load", HANGS).unwrap();
    sleep(Duration::from_secs(600)).await;
    task.cancel().unwrap();
    sleep(Duration::from_secs(59)).await;
    assert_eq!(kept(&tasks), [task.id()]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(kept(&tasks), []);
    assert_eq!(tasks.get(task.id()).unwrap_err().kind, ErrorKind::NotFound);
    assert!(task.snapshot().status.is_final(), "its handle still has it");
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_are_kept_up_to_a_size() {
    let tasks = keeper(Retention::default().bytes(2_500));
    let first = ended(&tasks, 1_000).await.id();
    let second = ended(&tasks, 1_000).await.id();
    assert_eq!(kept(&tasks), [first, second]);
    let third = ended(&tasks, 1_000).await.id();
    assert_eq!(kept(&tasks), [second, third]);
}

#[tokio::test(start_paused = true)]
async fn keys_labels_and_tags_count_as_kept_and_a_batch_counts_the_tags_of_its_members() {
    let tasks = keeper(Retention::default().bytes(2_500));
    let bytes = |id| tasks.engine.find(id).unwrap().kept_bytes();
    let plain = bytes(ended(&tasks, 1).await.id());
    let texts = || {
        let options = crate::StartOptions::new().key("k".repeat(500), crate::OnConflict::Append).label("l".repeat(100));
        options.tag("t".repeat(300)).tag("u".repeat(100))
    };
    let mut ids = Vec::new();
    for _ in 0..3 {
        let task = tasks.start_with("load", 1, texts()).unwrap();
        task.outcome().await;
        ids.push(task.id());
    }
    assert_eq!(bytes(ids[2]), plain + 1_000);
    settle().await;
    assert_eq!(kept(&tasks), ids[1..], "the first no longer fits");

    let batch = tasks.batch("load", [1, 1], BatchOptions::new().label("l".repeat(10)).tag("t".repeat(1_000))).unwrap();
    let outcome = batch.outcome().await;
    let members = tasks.list(&TaskFilter::default().parent(batch.id()));
    assert_eq!(members.iter().map(|member| bytes(member.id)).collect::<Vec<_>>(), [plain; 2]);
    assert_eq!(bytes(batch.id()), outcome.size() + 1_010, "the members keep the inputs");
}

#[tokio::test(start_paused = true)]
async fn a_large_outcome_is_kept_half_a_minute_for_a_follower_to_fetch() {
    let tasks = keeper(few(0));
    let large = ended(&tasks, 5_000).await.id();
    assert_eq!(kept(&tasks), [large], "it was too large to be sent with the end");
    for _ in 0..5 {
        ended(&tasks, 1).await;
    }
    sleep(Duration::from_millis(29_900)).await;
    assert_eq!(tasks.handle(large).unwrap().outcome().await.output::<String>().unwrap().unwrap().len(), 5_000);
    assert_eq!(kept(&tasks), [large]);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(kept(&tasks), []);
}

#[tokio::test(start_paused = true)]
async fn a_small_outcome_or_one_without_a_follower_is_not_kept_longer() {
    let tasks = keeper(few(0));
    ended(&tasks, 4_000).await;
    assert_eq!(kept(&tasks), []);
    drop(tasks.start("load", 5_000).unwrap());
    settle().await;
    assert_eq!(kept(&tasks), []);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_an_outcome_returns_it_even_if_nothing_is_kept() {
    let tasks = keeper(few(0).age(Duration::ZERO));
    let task = tasks.start("load", 1).unwrap();
    settle().await;
    assert_eq!(kept(&tasks), []);
    assert_eq!(task.outcome().await.output::<String>().unwrap().as_deref(), Some("x"));
}
