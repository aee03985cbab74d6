//! Readers that are there and do not ask: what the log says of them, and `Policy::idle_reader`.

use std::{
    future::pending,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};
use tokio::{
    runtime::Builder,
    time::{Instant, sleep, timeout},
};

use super::manager;
use crate::{
    Backoff, CancelReason, ErrorKind, Failure, Json, Outcome, Retry, TaskContext, TaskHandle, TaskItems, TaskManager,
    TaskStatus, Unread,
    delivery::{Ask, Bounds, ReadRefusal, Record},
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::{
        items::{ask, kind_of_numbers, read, rest, secs, settle, unread},
        log::Log,
    },
};

/// Starts a task that emits the numbers below `to`.
fn numbers(policy: Policy, to: u32) -> (TaskManager, TaskHandle, Arc<Record>) {
    let tasks = manager([kind_of_numbers(policy)], Settings::default());
    let task = tasks.start("plain", to).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    (tasks, task, record)
}

async fn next(items: &mut TaskItems<Json>) -> u32 {
    items.next().await.unwrap().unwrap().text().parse().unwrap()
}

const MINUTE: Duration = secs(60);
const TOLD: &str = "has not asked for anything in the last minute";

// What the log says.

#[tokio::test(start_paused = true)]
async fn a_reading_that_keeps_its_handler_waiting_for_a_minute_is_told_once() {
    let log = Log::capture();
    let (_tasks, task, record) = numbers(unread(Unread::Wait), 1_000);
    let from_main = |chunk| Ask { label: "main", ..ask("8d1f/a", chunk) };
    record.items().read(from_main(1)).await.unwrap();
    sleep(secs(59)).await;
    assert_eq!(log.count(TOLD), 0);
    sleep(secs(2)).await;
    assert_eq!(log.count(TOLD), 1, "{log:?}");
    let line = log.text().lines().find(|line| line.contains(TOLD)).unwrap().to_owned();
    let id = task.id().to_string();
    for part in
        ["WARN", "\"plain\"", &id, "\"main\"", "break out of its loop", "cancel its stream", "Task::idle_reader"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("8d1f"), "{line}");

    sleep(secs(3_600)).await;
    assert_eq!((log.count(TOLD), task.status()), (1, TaskStatus::Running), "it goes on waiting");
    assert!(record.items().is_being_read());
    record.items().read(from_main(2)).await.unwrap();
    sleep(secs(3_600)).await;
    assert_eq!(log.count(TOLD), 1, "once for a reading");

    record.items().stop("8d1f/a", 8);
    record.items().read(ask("another", 1)).await.unwrap();
    sleep(secs(3_600)).await;
    assert_eq!(log.count(TOLD), 2, "this is another reading");
    assert_eq!(rest(&record, "another", 2, None).await.last(), Some(&999), "nothing was lost");
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_keeps_nobody_waiting_is_not_told() {
    let log = Log::capture();
    // The handler waits, but asks are made: of a slow reader.
    let (_tasks, _task, record) = numbers(unread(Unread::Wait), 100);
    for chunk in 1.. {
        if read(&record, "slow", chunk, None).await.done {
            break;
        }
        sleep(secs(52)).await;
    }
    // The handler waits, but nobody reads.
    let (_tasks, task, _record) = numbers(unread(Unread::Wait), 100);
    sleep(secs(3_600)).await;
    assert_eq!(task.status(), TaskStatus::Running);
    // The reader does not ask, but the handler does not wait.
    let (_tasks, task, record) = numbers(unread(Unread::Wait), 3);
    read(&record, "r", 1, None).await;
    sleep(secs(3_600)).await;
    assert_eq!(task.status(), TaskStatus::Completed);
    // The reader waits for items.
    let (_tasks, _task, record) = started(unread(Unread::Wait));
    assert!(timeout(secs(3_600), record.items().read(ask("r", 1))).await.is_err());
    assert_eq!(log.count(TOLD), 0, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn the_minute_is_one_in_which_an_emit_waits_however_often_it_is_dropped() {
    let log = Log::capture();
    let kind = Kind::new("a", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        sleep(secs(300)).await;
        loop {
            let _ = timeout(secs(7), ctx.emit(1)).await;
        }
        #[allow(unreachable_code)]
        Ok::<_, Failure>(())
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    assert!(record.items().read(ask("r", 1)).now_or_never().is_none());
    sleep(secs(359)).await;
    assert_eq!(log.count(TOLD), 0, "there was nothing to ask for in the first five minutes");
    sleep(secs(10)).await;
    assert_eq!(log.count(TOLD), 1, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_in_rust_is_told_as_the_apps() {
    let log = Log::capture();
    let (_tasks, task, _record) = numbers(unread(Unread::Wait), 1_000);
    let mut items = task.items();
    assert_eq!(next(&mut items).await, 0);
    sleep(MINUTE * 2).await;
    assert_eq!(log.count(TOLD), 1);
    assert!(log.text().contains("\"the app\""), "{log:?}");
}

// `Policy::idle_reader`.

const IDLE: Duration = secs(16);
/// How late that may be noticed: an eighth of it, and a step of these tests.
const LATE: Duration = Duration::from_millis(2_002 + 250);

fn idle(of: Unread) -> Policy {
    Policy { idle_reader: Some(IDLE), ..unread(of) }
}

type Context = TaskContext<(), u32>;

/// A task that emits nothing by itself and hangs. Its context is there once it runs.
fn started(policy: Policy) -> (TaskManager, Arc<OnceLock<Context>>, Arc<Record>) {
    let ctx = Arc::<OnceLock<_>>::default();
    let kept = Arc::clone(&ctx);
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
        let _ = kept.set(ctx);
        pending::<Result<(), Failure>>()
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    (tasks, ctx, record)
}

/// Returns how long it takes until the reader is taken for gone.
async fn lost_after(record: &Record) -> Duration {
    let before = Instant::now();
    while record.items().is_being_read() {
        assert!(before.elapsed() < secs(600), "it is never taken for gone");
        settle().await;
    }
    before.elapsed()
}

fn is_in_time(after: Duration, length: Duration) -> bool {
    after >= length && after <= length + length / 8 + Duration::from_millis(2)
}

#[tokio::test(start_paused = true)]
async fn without_one_a_reader_may_idle_for_ever() {
    let (_tasks, task, record) = numbers(unread(Unread::DropOldest), 100);
    read(&record, "r", 1, None).await;
    sleep(secs(100_000)).await;
    assert_eq!((record.items().is_being_read(), task.status()), (true, TaskStatus::Running));
    let mut numbers = rest(&record, "r", 2, None).await;
    numbers.splice(0..0, [0, 1, 2, 3]);
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_idle_reader_makes_room_and_is_told_what_it_has_missed() {
    let (_tasks, task, record) = numbers(idle(Unread::DropOldest), 100);
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    let after = lost_after(&record).await;
    assert!(is_in_time(after, IDLE), "{after:?}");
    settle().await;
    assert_eq!(task.status(), TaskStatus::Completed, "nobody waits for it");
    for _ in 0..2 {
        let refused = record.items().read(ask("r", 2)).await.err();
        assert_eq!(refused, Some(ReadRefusal::Idled { missed: 92 }), "4 to 95");
    }
    let error = ReadRefusal::Idled { missed: 92 }.of(record.id);
    assert_eq!(error.kind, ErrorKind::ReaderGone);
    assert_eq!(error.data.unwrap().text(), r#"{"missed":92}"#);
    assert!(error.message.contains("idle_reader") && error.message.contains("92"), "{}", error.message);
    // It goes on where it was, with another name.
    let next = read(&record, "r again", 1, Some(4)).await;
    assert_eq!((next.sequence, next.missed, next.items), (96, 92, vec![96, 97, 98, 99]));
}

#[tokio::test(start_paused = true)]
async fn with_wait_the_handler_waits_for_another_reader_which_gets_everything() {
    let (_tasks, task, record) = numbers(idle(Unread::Wait), 20);
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    assert!(is_in_time(lost_after(&record).await, IDLE));
    sleep(secs(1_000)).await;
    assert_eq!(task.status(), TaskStatus::Running);
    assert_eq!(record.items().read(ask("r", 2)).await.err(), Some(ReadRefusal::Idled { missed: 0 }));
    // It has used two of the four.
    record.items().stop("r", 2);
    assert_eq!(rest(&record, "another", 1, None).await, (2..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn with_cancel_the_task_is_cancelled_even_if_the_buffer_is_not_full() {
    let (tasks, ctx, record) = started(idle(Unread::Cancel));
    settle().await;
    ctx.get().unwrap().emit(1).await;
    assert_eq!(read(&record, "r", 1, None).await.items, [1]);
    sleep(secs(1_000)).await;
    assert_eq!(record.status(), TaskStatus::Running, "it has everything");
    ctx.get().unwrap().emit(2).await;
    assert!(is_in_time(lost_after(&record).await, IDLE));
    let outcome = timeout(secs(1), record.ended()).await.unwrap();
    assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::Unread }), "{outcome:?}");
    assert_eq!(record.items().read(ask("r", 2)).await.err(), Some(ReadRefusal::Idled { missed: 0 }));
    drop(tasks);
}

#[tokio::test(start_paused = true)]
async fn an_idle_reader_is_taken_for_gone_in_every_attempt_and_so_is_the_next_one() {
    let (_tasks, _task, record) = numbers(idle(Unread::Wait), 100);
    for name in ["a", "b", "c"] {
        read(&record, name, 1, None).await;
        assert!(is_in_time(lost_after(&record).await, IDLE), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_not_begin_anew_with_an_attempt() {
    for (lasts, wait) in [(10, 1), (1, 10), (3, 0), (0, 3), (20, 20)] {
        let retry = Retry::attempts(1_000).backoff(Backoff::constant(secs(wait)));
        let policy = Policy { item_buffer: Bounds::default(), retry: Some(retry), ..idle(Unread::DropOldest) };
        let kind = Kind::new("a", policy, Errors::default(), async |ctx: Context, lasts: u64| {
            ctx.emit(ctx.attempt()).await;
            sleep(secs(lasts)).await;
            Err::<(), _>(Failure::new("again"))
        });
        let tasks = manager([kind], Settings::default());
        let task = tasks.start("a", lasts).unwrap();
        let record = tasks.engine.find(task.id()).unwrap();
        assert_eq!(read(&record, "r", 1, None).await.items, [1]);
        while record.items().idles().is_none() {
            settle().await;
        }
        let after = lost_after(&record).await;
        assert!(after + LATE >= IDLE && after <= IDLE + LATE, "{after:?} with {lasts} s and {wait} s");
        assert!(!task.status().is_final(), "{:?}", task.status());
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_request_says_nothing_about_a_new_reader_of_the_same_name() {
    let (_tasks, ctx, record) = started(idle(Unread::Wait));
    settle().await;
    let items = record.items();
    let mut old = Box::pin(items.read(ask("r", 1)));
    assert!((&mut old).now_or_never().is_none());
    items.lose("r", false);
    // So many that the name is forgotten.
    for other in 0..100 {
        let name = other.to_string();
        assert!(items.read(ask(&name, 1)).now_or_never().is_none());
        items.lose(&name, false);
    }
    let mut new = Box::pin(items.read(ask("r", 1)));
    assert!((&mut new).now_or_never().is_none());
    drop(old);
    ctx.get().unwrap().emit(1).await;
    assert_eq!(items.idles(), None, "the new request is under way");
    drop(new);
    assert!(items.idles().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_another_reader_has_read_meanwhile_is_missed_too() {
    let (_tasks, _task, record) = numbers(idle(Unread::Wait), 100);
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    lost_after(&record).await;
    let mut last = 0;
    for chunk in 1..=5 {
        last = read(&record, "another", chunk, None).await.items.pop().unwrap();
    }
    record.items().stop("another", u64::from(last) + 1);
    assert!(last > 4, "{last}");
    let missed = u64::from(last) + 1 - 4;
    assert_eq!(record.items().read(ask("r", 2)).await.err(), Some(ReadRefusal::Idled { missed }));
    let next = read(&record, "r again", 1, Some(4)).await;
    assert_eq!((next.missed, next.items[0]), (missed, last + 1), "a new one from there is told the same");
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_at_least_a_second() {
    for length in [Duration::ZERO, Duration::from_millis(1)] {
        let policy = Policy { idle_reader: Some(length), ..unread(Unread::Wait) };
        let (_tasks, _task, record) = numbers(policy, 100);
        read(&record, "r", 1, None).await;
        assert!(is_in_time(lost_after(&record).await, secs(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_in_rust_that_idled_is_told_and_the_next_one_goes_on_after_its_last_item() {
    let (_tasks, task, record) = numbers(idle(Unread::Wait), 20);
    let mut items = task.items();
    for number in 0..2 {
        assert_eq!(next(&mut items).await, number);
    }
    lost_after(&record).await;
    for number in 2..4 {
        assert_eq!(next(&mut items).await, number, "it has these already");
    }
    let refused = items.next().await.unwrap().unwrap_err();
    assert_eq!(refused.kind, ErrorKind::ReaderGone);
    assert_eq!(refused.data.unwrap().text(), r#"{"missed":0}"#);
    drop(items);
    let mut items = task.items();
    for number in 4..20 {
        assert_eq!(next(&mut items).await, number);
    }
    assert!(items.next().await.is_none());
}

#[derive(Debug, Clone)]
enum Step {
    Emit,
    /// Asks for the next chunk, and does not wait for it.
    Ask,
    /// Waits for the next chunk, for up to so many milliseconds.
    Wait(u64),
    Silence(u64),
}

/// What a reader leaves, as a plain model.
#[derive(Debug, Default)]
struct Model {
    emitted: u64,
    given: u64,
    /// Since when it leaves something, and does not ask.
    idle_since: Option<Instant>,
}

impl Model {
    fn has_changed(&mut self, asked: bool) {
        let leaves = self.given < self.emitted;
        if !leaves {
            self.idle_since = None;
        } else if asked || self.idle_since.is_none() {
            self.idle_since = Some(Instant::now());
        }
    }
}

async fn follow(steps: &[Step]) -> Result<usize, TestCaseError> {
    let large = Policy { item_buffer: Bounds::default(), ..idle(Unread::DropOldest) };
    let (_tasks, ctx, record) = started(large);
    settle().await;
    let ctx = ctx.get().unwrap();
    let (mut model, mut lost, mut chunk, mut name) = (Model::default(), 0, 1, "r0".to_owned());
    let _ = record.items().read(ask(&name, 1)).now_or_never();
    for step in steps {
        match step {
            Step::Emit => {
                ctx.emit(0).await;
                model.emitted += 1;
                model.has_changed(false);
            }
            Step::Ask | Step::Wait(_) => {
                let wait = if let Step::Wait(ms) = step { *ms } else { 0 };
                let read = timeout(Duration::from_millis(wait), record.items().read(ask(&name, chunk))).await;
                if let Ok(read) = read {
                    model.given = read.map(|chunk| chunk.segment.unwrap().end()).unwrap();
                    chunk += 1;
                }
                model.has_changed(true);
            }
            Step::Silence(ms) => {
                let until = Instant::now() + Duration::from_millis(*ms);
                while Instant::now() < until && record.items().is_being_read() {
                    sleep(Duration::from_millis(250).min(until - Instant::now())).await;
                }
            }
        }
        let idle = model.idle_since.map_or(Duration::ZERO, |since| since.elapsed());
        if record.items().is_being_read() {
            prop_assert!(idle <= IDLE + LATE, "still there after {idle:?}");
        } else {
            prop_assert!(idle >= IDLE, "gone after {idle:?}");
            let refused = record.items().read(ask(&name, chunk)).await.err();
            prop_assert_eq!(refused, Some(ReadRefusal::Idled { missed: 0 }));
            lost += 1;
            (chunk, name) = (1, format!("r{lost}"));
            // The next one gets everything that was not released, and so all of what was left.
            let first = record.items().read(ask(&name, 1)).await.unwrap();
            model.given = first.segment.unwrap().end();
            chunk += 1;
            model.has_changed(true);
        }
    }
    Ok(lost)
}

#[test]
fn a_reader_is_taken_for_gone_when_it_idles_and_only_then() {
    let step = prop_oneof![
        4 => Just(Step::Emit),
        3 => Just(Step::Ask),
        2 => (0..30_000_u64).prop_map(Step::Wait),
        4 => prop_oneof![0..3_000_u64, 12_000..20_000_u64].prop_map(Step::Silence),
    ];
    let steps = prop::collection::vec(step, 0..40);
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 300, ..Config::with_cases(150) });
    let lost = std::cell::Cell::new(0);
    let ran = runner.run(&steps, |steps| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        lost.set(lost.get() + runtime.block_on(follow(&steps))?);
        Ok(())
    });
    match ran {
        Ok(()) => assert!(lost.get() > 50, "only {} were taken for gone", lost.get()),
        Err(TestError::Fail(why, steps)) => panic!("{why}\n{steps:?}"),
        Err(error) => panic!("{error}"),
    }
}
