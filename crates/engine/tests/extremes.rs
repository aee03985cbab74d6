//! No argument makes a public call panic, however large or small it is.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tauri_plugin_tasks_engine::{
    Backoff, BatchOptions, BatchProgress, Failure, LimitOf, Missed, OnConflict, OnExit, OnOwnerClosed, Restart,
    Retention, Retry, Schedule, StartOptions, TaskContext, TaskFilter, TaskManager, Unit, Unread,
    delivery::{Bounds, Clocks, Errors, Kind, Kinds, Policy, Runtimes, Settings, manager},
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

const TIMES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(u32::MAX as u64),
    Duration::MAX,
];
const COUNTS: [usize; 3] = [0, 1, usize::MAX];

fn backoffs() -> Vec<Backoff> {
    let mut all = Vec::new();
    for time in TIMES {
        for factor in
            [f32::NAN, f32::NEG_INFINITY, f32::MIN, -1.0, 0.0, f32::MIN_POSITIVE, 1.0, f32::MAX, f32::INFINITY]
        {
            let backoff = Backoff::exponential().first_delay(time).factor(factor);
            all.extend([
                backoff.clone().jitter(false),
                backoff.clone().max_delay(Duration::MAX),
                backoff.max_delay(time),
            ]);
        }
        all.push(Backoff::constant(time));
    }
    all
}

/// How often anything has panicked, also where tokio or the engine catches it.
fn panics() -> usize {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    static COUNTED: Once = Once::new();
    COUNTED.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, SeqCst);
            report(panic);
        }));
    });
    PANICS.load(SeqCst)
}

fn started(policy: Policy, settings: Settings) -> TaskManager {
    assert_eq!(panics(), 0);
    let fails = async |ctx: TaskContext<(), u32>, (): ()| {
        for count in [0, 1, u64::MAX, u64::MAX, 1, 0] {
            ctx.progress().unit(Unit::Bytes).total(count).set(count).inc(count).inc(u64::MAX).total(None);
        }
        ctx.emit(1).await;
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>(Failure::new("no"))
    };
    let kind = Arc::new(Kind::new("fails", policy, Errors::default(), fails));
    let begin = Instant::now();
    let clock = move || u64::try_from(begin.elapsed().as_millis()).unwrap();
    let kinds = Kinds::from([(Arc::clone(&kind.name), kind)]);
    manager(Runtimes::one(Handle::current()), kinds, settings, Clocks::of_tokio(clock))
}

/// Lets the tasks go on for a while, looks at all that can be seen, and ends them.
async fn live(tasks: &TaskManager, grace: Duration) {
    sleep(Duration::from_secs(100)).await;
    for task in tasks.list(&TaskFilter::default()) {
        serde_json::to_string(&task).unwrap();
    }
    let _ = (tasks.counts(), tasks.schedules());
    tasks.cancel_all(&TaskFilter::default());
    tasks.shut_down(grace).await;
    assert_eq!(panics(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_length_of_time_is_taken() {
    for time in TIMES {
        for set in 0..8 {
            let mut policy = Policy { grace: time, retry: Some(Retry::attempts(2)), ..Policy::default() };
            match set {
                0 => policy.timeout = Some(time),
                1 => policy.attempt_timeout = Some(time),
                2 => policy.stall_timeout = Some(time),
                3 => policy.deadline = Some(time),
                4 => policy.delay = Some(time),
                5 => policy.idle_reader = Some(time),
                6 => policy.restart = Some(Restart::always().healthy_after(time)),
                _ => policy.on_exit = OnExit::Finish,
            }
            let settings = Settings { retention: Retention::default().age(time), ..Settings::default() };
            let tasks = started(policy, settings);
            let _ = tasks.start("fails", ());
            let options = StartOptions::new().delay(time).timeout(time).deadline(time).priority(i32::MIN);
            let _ = tasks.start_with("fails", (), options);
            let _ = tasks.start_with("fails", (), StartOptions::new().deadline(time).priority(i32::MAX));
            for (name, missed) in [("a", Missed::Skip), ("b", Missed::Once)] {
                let schedule = Schedule::every(time).jitter(time).missed(missed).from_end().at_once().overlap();
                let _ = tasks.schedule(name, "fails", (), schedule.back_off(Backoff::constant(time)));
            }
            let cron = Schedule::cron("* * * * *").unwrap().jitter(time).back_off(Backoff::constant(time));
            tasks.schedule("cron", "fails", (), cron).unwrap();
            live(&tasks, time).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_count_is_taken() {
    for count in COUNTS {
        let attempts = u32::try_from(count).unwrap_or(u32::MAX);
        for unread in [Unread::DropOldest, Unread::Wait, Unread::Cancel] {
            let policy = Policy {
                concurrency: Some(count),
                queue_limit: Some(count),
                group: Some("group".into()),
                retry: Some(Retry::attempts(attempts)),
                item_buffer: Bounds { items: count, bytes: count },
                unread,
                on_owner_closed: OnOwnerClosed::Cancel,
                batch_progress: BatchProgress::ByMember,
                ..Policy::default()
            };
            let settings = Settings {
                concurrency: Some(count),
                queue_limit: Some(count),
                groups: vec![("group".into(), count)],
                retention: Retention::default().count(count).bytes(count),
                ..Settings::default()
            };
            let tasks = started(policy, settings);
            let _ = tasks.start("fails", ());
            let _ = tasks.batch("fails", vec![(); 3], BatchOptions::new().concurrency(count).priority(i32::MIN));
            let _ = tasks.batch("fails", vec![(); 0], BatchOptions::new());
            for of in [LimitOf::App, LimitOf::Task("fails".into()), LimitOf::Group("group".into())] {
                tasks.set_limit(of, count).unwrap();
            }
            let long = "x".repeat(count.min(100_000));
            let key = StartOptions::new().key(long.clone(), OnConflict::Replace).label(long.clone()).tag(long.clone());
            let _ = tasks.start_with("fails", (), key);
            let _ = tasks.schedule(&long, "fails", (), Schedule::every(Duration::from_secs(1)));
            for task in tasks.list(&TaskFilter::default()) {
                let _ = tasks.cancel_with(task.id, &long);
                let _ = tasks.set_priority(task.id, i32::MAX);
            }
            live(&tasks, Duration::from_secs(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_backoff_is_taken() {
    for backoff in backoffs() {
        for restart in [None, Some(Restart::on_failure().backoff(backoff.clone()).give_up_after(u32::MAX))] {
            let policy =
                Policy { retry: Some(Retry::attempts(3).backoff(backoff.clone())), restart, ..Policy::default() };
            let tasks = started(policy, Settings::default());
            let _ = tasks.start("fails", ());
            live(&tasks, Duration::ZERO).await;
        }
    }
}

#[test]
fn a_cron_expression_of_any_text_is_taken_or_refused() {
    let parts = ["*", "*/0", "*/999999999999999999999", "0", "-1", "60", "1-0", "?", "L", "é", "\0", "\u{202e}", ""];
    for part in parts {
        for fields in 0..9 {
            let _ = Schedule::cron(&vec![part; fields].join(" "));
            let _ = Schedule::cron(&format!("{part} {}", vec!["*"; fields].join(" ")));
        }
    }
    let _ = Schedule::cron(&"* ".repeat(100_000));
}
