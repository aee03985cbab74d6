//! What keeps a task from stalling: reports, items, and the time in which it waits to emit one.

use std::{
    future::pending,
    pin::pin,
    sync::{Arc, mpsc},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture, poll};
use parking_lot::Mutex;
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};
use tokio::{
    runtime::Builder,
    select,
    time::{Instant, advance, sleep, timeout},
};

use super::manager;
use crate::{
    Bytes, Failure, Outcome, TaskContext, TaskHandle, TaskManager, TaskStatus, TimeLimit, Unread,
    delivery::Record,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::items::{FOUR, ask, read, rest, secs, settle},
};

const STALL: Duration = secs(8);
/// How late a stall may be noticed: an eighth of the timeout, and the resolution of tokio's timers.
const LATE: Duration = Duration::from_millis(1_002);

fn stalls(unread: Unread) -> Policy {
    Policy { stall_timeout: Some(STALL), unread, item_buffer: FOUR, ..Policy::default() }
}

/// Starts a task with this handler. Its items are numbers.
fn started<Fut>(
    policy: Policy,
    handler: impl Fn(TaskContext<(), u32>) -> Fut + Send + Sync + 'static,
) -> (TaskManager, TaskHandle, Arc<Record>)
where
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| handler(ctx));
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    (tasks, task, record)
}

/// Waits until the task stalls. Returns when that was.
async fn stalled(task: &TaskHandle) -> Instant {
    let Ok(outcome) = timeout(secs(10_000), task.outcome()).await else { panic!("it never stalls") };
    assert!(matches!(outcome, Outcome::TimedOut { limit: TimeLimit::Stalled, .. }), "{outcome:?}");
    Instant::now()
}

/// Checks that the task stalls as long after this as its timeout says.
async fn stalls_after(task: &TaskHandle, sign_of_life: Instant) {
    let after = stalled(task).await - sign_of_life;
    assert!(after >= STALL && after <= STALL + LATE, "{after:?}");
}

type Emit<I> = fn(TaskContext<(), I>) -> BoxFuture<'static, ()>;

/// A handler that only emits, every 5 seconds, ten times, and then hangs.
async fn only_emits<I: 'static>(name: &str, emit: Emit<I>) {
    let kind = Kind::new(
        "a",
        stalls(Unread::DropOldest),
        Errors::default(),
        move |ctx: TaskContext<(), I>, (): ()| async move {
            for _ in 0..10 {
                sleep(secs(5)).await;
                emit(ctx.clone()).await;
            }
            pending::<Result<(), Failure>>().await
        },
    );
    let begin = Instant::now();
    let task = manager([kind], Settings::default()).start("a", ()).unwrap();
    let after = stalled(&task).await - begin;
    assert!(after >= secs(50) + STALL && after <= secs(50) + STALL + LATE, "{name}: {after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_item_is_a_sign_of_life_however_it_is_emitted() {
    let of_items: [(&str, Emit<String>); 4] = [
        ("emit", |ctx| Box::pin(async move { ctx.emit("x".into()).await })),
        ("try_emit", |ctx| Box::pin(async move { ctx.try_emit("x".into()).await.unwrap() })),
        ("blocking_emit", |ctx| Box::pin(async move { ctx.blocking_emit("x".into()).unwrap() })),
        ("an item that is refused", |ctx| {
            Box::pin(async move { assert!(ctx.try_emit("x".repeat(5_000)).await.is_err()) })
        }),
    ];
    for (name, emit) in of_items {
        only_emits(name, emit).await;
    }
    let of_bytes: [(&str, Emit<Bytes>); 5] = [
        ("emit_bytes", |ctx| Box::pin(async move { ctx.emit_bytes([1]).await })),
        ("try_emit_bytes", |ctx| Box::pin(async move { ctx.try_emit_bytes([1]).await.unwrap() })),
        ("blocking_emit_bytes", |ctx| Box::pin(async move { ctx.blocking_emit_bytes([1]).unwrap() })),
        ("no bytes", |ctx| Box::pin(async move { ctx.emit_bytes([]).await })),
        ("no bytes of a thread", |ctx| Box::pin(async move { ctx.blocking_emit_bytes([]).unwrap() })),
    ];
    for (name, emit) in of_bytes {
        only_emits(name, emit).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_a_reader_that_never_comes_does_not_stall() {
    let (tasks, task, _) = started(stalls(Unread::Wait), async |ctx| {
        for number in 0..5 {
            ctx.emit(number).await;
        }
        Ok(())
    });
    sleep(secs(3_600)).await;
    assert_eq!(task.status(), TaskStatus::Running);
    tasks.cancel(task.id()).unwrap();
    assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_a_slow_reader_does_not_stall() {
    for unread in [Unread::Wait, Unread::DropOldest, Unread::Cancel] {
        let (_tasks, task, record) = started(stalls(unread), async |ctx| {
            for number in 0..50 {
                ctx.emit(number).await;
            }
            Ok(())
        });
        let mut numbers = Vec::new();
        for chunk in 1.. {
            let read = read(&record, "r", chunk, None).await;
            numbers.extend(read.items);
            if read.done {
                break;
            }
            sleep(secs(100)).await;
        }
        assert_eq!(numbers, (0..50).collect::<Vec<_>>());
        assert!(matches!(task.outcome().await, Outcome::Completed { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_right_after_a_wait_stalls_from_then_on() {
    let (_tasks, task, record) = started(stalls(Unread::Wait), async |ctx| {
        for number in 0..5 {
            ctx.emit(number).await;
        }
        pending().await
    });
    sleep(Duration::from_millis(100_700)).await;
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    stalls_after(&task, Instant::now()).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_dropped_keeps_nobody_alive() {
    let dropped = Arc::<Mutex<Option<Instant>>>::default();
    let drops = Arc::clone(&dropped);
    let (_tasks, task, _) = started(stalls(Unread::Wait), move |ctx| {
        let drops = Arc::clone(&drops);
        async move {
            for number in 0..4 {
                ctx.emit(number).await;
            }
            // Of several that wait, the last one counts.
            select! {
                () = async { tokio::join!(ctx.emit(4), ctx.emit(5)); } => unreachable!("nobody reads"),
                () = sleep(Duration::from_millis(30_300)) => {}
            }
            *drops.lock() = Some(Instant::now());
            pending().await
        }
    });
    sleep(secs(31)).await;
    let dropped = dropped.lock().unwrap();
    stalls_after(&task, dropped).await;
}

#[tokio::test(start_paused = true)]
async fn an_emit_that_could_go_on_and_is_not_polled_keeps_nobody_alive() {
    let (_tasks, task, record) = started(stalls(Unread::Wait), async |ctx| {
        for number in 0..4 {
            ctx.emit(number).await;
        }
        let mut held = pin!(ctx.emit(4));
        assert!(poll!(&mut held).is_pending());
        pending().await
    });
    sleep(secs(100)).await;
    assert_eq!(task.status(), TaskStatus::Running, "nobody could have gone on so far");
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    stalls_after(&task, Instant::now()).await;
}

#[tokio::test(start_paused = true)]
async fn an_emit_whose_patience_is_over_and_that_is_not_polled_keeps_nobody_alive() {
    let begin = Instant::now();
    let (_tasks, task, _) = started(stalls(Unread::DropOldest), async |ctx| {
        for number in 0..4 {
            ctx.emit(number).await;
        }
        let mut held = pin!(ctx.emit(4));
        assert!(poll!(&mut held).is_pending());
        pending().await
    });
    // It waits for a reader for 10 seconds. After that it could drop the oldest item.
    stalls_after(&task, begin + secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_a_spawned_task_of_the_attempt_counts_until_the_reader_goes_on() {
    let (_tasks, task, record) = started(stalls(Unread::Wait), async |ctx| {
        tokio::spawn(async move {
            for number in 0..5 {
                ctx.emit(number).await;
            }
        });
        pending().await
    });
    sleep(secs(100)).await;
    assert_eq!(task.status(), TaskStatus::Running);
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    stalls_after(&task, Instant::now()).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_on_a_thread_counts_and_what_hangs_after_it_stalls() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let (_tasks, task, record) = started(stalls(Unread::Wait), move |ctx| {
        let released = Arc::clone(&released);
        async move {
            let on_thread = ctx.clone();
            ctx.spawn_blocking(move |_| {
                for number in 0..5 {
                    on_thread.blocking_emit(number).unwrap();
                }
                let released = released.lock().take().unwrap();
                let _ = released.recv();
            })
            .await;
            Ok(())
        }
    });
    // While a thread is busy, time does not advance by itself.
    while !record.items().has_waiting_emit() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        advance(secs(1)).await;
    }
    assert_eq!(task.status(), TaskStatus::Running);
    assert_eq!(read(&record, "r", 1, None).await.items, [0, 1, 2, 3]);
    // The thread wakes up and emits the last one.
    while record.items().bytes() < 8 {
        tokio::task::yield_now().await;
    }
    let mut seconds = 0;
    while task.status() == TaskStatus::Running && seconds < 60 {
        advance(secs(1)).await;
        tokio::task::yield_now().await;
        seconds += 1;
    }
    assert!((8..=12).contains(&seconds), "{seconds}");
    drop(release);
    assert!(matches!(task.outcome().await, Outcome::TimedOut { limit: TimeLimit::Stalled, .. }));
}

// Random handlers and readers.

#[derive(Debug, Clone)]
enum Act {
    Report,
    Emit,
    /// An emit that is dropped if it has to wait for so long.
    EmitWithin(u64),
    /// An emit that is polled once, held for so long, and dropped.
    Hold(u64),
    /// A tokio task that emits once.
    SpawnEmit,
    Silence(u64),
}

/// When the handler has given signs of life, in time since its begin.
#[derive(Default)]
struct Trace {
    /// Each begins and ends; `None` if it has not ended.
    signs: Vec<(Duration, Option<Duration>)>,
    /// When the reader has got something.
    reads: Vec<Duration>,
}

/// Adds a sign of life that begins now, and ends when this is dropped. If `of_held` is given, it ends with the first read
/// after so many reads.
struct Sign {
    trace: Arc<Mutex<Trace>>,
    begin: Instant,
    at: usize,
    of_held: Option<usize>,
}

impl Sign {
    fn new(trace: &Arc<Mutex<Trace>>, begin: Instant) -> Self {
        let at = {
            let mut trace = trace.lock();
            trace.signs.push((begin.elapsed(), None));
            trace.signs.len() - 1
        };
        Self { trace: Arc::clone(trace), begin, at, of_held: None }
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        let mut trace = self.trace.lock();
        let woken = self.of_held.and_then(|before| trace.reads.get(before).copied());
        trace.signs[self.at].1 = Some(woken.unwrap_or_else(|| self.begin.elapsed()));
    }
}

async fn act(ctx: &TaskContext<(), u32>, act: &Act, trace: &Arc<Mutex<Trace>>, begin: Instant) {
    let sign = || Sign::new(trace, begin);
    match *act {
        Act::Report => {
            let _sign = sign();
            ctx.progress().inc(1);
        }
        Act::Emit => {
            let _sign = sign();
            ctx.emit(0).await;
        }
        Act::EmitWithin(ms) => {
            let _sign = sign();
            let _ = timeout(Duration::from_millis(ms), ctx.emit(0)).await;
        }
        Act::Hold(ms) => {
            let before = trace.lock().reads.len();
            let mut sign = sign();
            let mut held = pin!(ctx.emit(0));
            if poll!(&mut held).is_pending() {
                // It is a sign of life until the reader makes room for it.
                sign.of_held = Some(before);
            } else {
                drop(sign);
            }
            sleep(Duration::from_millis(ms)).await;
        }
        Act::SpawnEmit => {
            let (ctx, sign) = (ctx.clone(), sign());
            tokio::spawn(async move {
                ctx.emit(0).await;
                drop(sign);
            });
        }
        Act::Silence(ms) => sleep(Duration::from_millis(ms)).await,
    }
}

/// Runs the handler, which hangs at its end, and the reader, which waits before each of its reads and reads the rest at
/// its end. Returns what happened, and when the task stalled.
async fn run(acts: Vec<Act>, pauses: Vec<u64>) -> (Trace, Duration) {
    let trace = Arc::<Mutex<Trace>>::default();
    let (begin, traced) = (Instant::now(), Arc::clone(&trace));
    let (_tasks, task, record) = started(stalls(Unread::Wait), move |ctx| {
        let (acts, trace) = (acts.clone(), Arc::clone(&traced));
        async move {
            for next in &acts {
                act(&ctx, next, &trace, begin).await;
            }
            pending().await
        }
    });
    let reads = Arc::clone(&trace);
    let reader = tokio::spawn(async move {
        for (chunk, pause) in (1..).zip(pauses.into_iter().chain(std::iter::repeat(10))) {
            sleep(Duration::from_millis(pause)).await;
            let ask = crate::delivery::Ask { holds: 1, ..ask("r", chunk) };
            let Ok(read) = record.items().read(ask).await else { break };
            reads.lock().reads.push(begin.elapsed());
            if read.done {
                break;
            }
        }
    });
    let stalled = stalled(&task).await - begin;
    reader.abort();
    let _ = reader.await;
    settle().await;
    (std::mem::take(&mut *trace.lock()), stalled)
}

/// Checks that the task has stalled because of a silence as long as its timeout, and that there was no such one before.
fn check(trace: &Trace, stalled: Duration) -> Result<(), TestCaseError> {
    let mut signs: Vec<_> = trace.signs.iter().filter(|(from, _)| *from < stalled).collect();
    signs.sort();
    let mut last = Duration::ZERO;
    for (from, to) in signs {
        let silence = from.saturating_sub(last);
        prop_assert!(silence <= STALL + LATE, "{silence:?} of silence until {from:?}, and it went on");
        last = last.max(to.unwrap_or(Duration::MAX)).min(stalled);
    }
    let silence = stalled.saturating_sub(last);
    prop_assert!(silence >= STALL && silence <= STALL + LATE, "stalled at {stalled:?}, after {silence:?} of silence");
    Ok(())
}

#[test]
fn a_task_stalls_after_a_silence_of_its_timeout_and_only_then() {
    let silence = || prop_oneof![0..3_000_u64, 6_500..9_500_u64, 0..20_000_u64];
    let act = prop_oneof![
        2 => Just(Act::Report),
        8 => Just(Act::Emit),
        2 => silence().prop_map(Act::EmitWithin),
        2 => silence().prop_map(Act::Hold),
        2 => Just(Act::SpawnEmit),
        4 => silence().prop_map(Act::Silence),
    ];
    let acts = prop::collection::vec(act, 0..40);
    let pauses = prop::collection::vec(prop_oneof![0..500_u64, 0..40_000_u64], 0..12);
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 300, ..Config::with_cases(300) });
    let waited = std::cell::Cell::new(0);
    let ran = runner.run(&(acts, pauses), |(acts, pauses)| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (trace, stalled) = runtime.block_on(run(acts, pauses));
        let long = trace.signs.iter().filter(|(from, to)| to.is_some_and(|to| to > *from + STALL * 2));
        waited.set(waited.get() + long.count());
        check(&trace, stalled)
    });
    match ran {
        Ok(()) => assert!(waited.get() > 50, "{} long waits only", waited.get()),
        Err(TestError::Fail(why, script)) => panic!("{why}\n{script:?}"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_reader_of_an_ended_wait_gets_every_item() {
    let (_tasks, task, record) = started(stalls(Unread::Wait), async |ctx| {
        for number in 0..9 {
            ctx.emit(number).await;
        }
        Ok(())
    });
    sleep(secs(60)).await;
    assert_eq!(rest(&record, "r", 1, None).await, (0..9).collect::<Vec<_>>());
    assert!(task.outcome().now_or_never().is_some());
}
