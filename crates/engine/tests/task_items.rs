//! Items and bytes that a handler emits, as read from Rust.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{collections::HashMap, time::Duration};

use support::manager;
use tauri_plugin_tasks_engine::{
    Bytes, ErrorKind, Failure, Outcome, TaskContext, TaskHandle, TaskItems, TaskKey, TaskStatus,
    test::{TestOutcome, TestTask},
};
use tokio::time::{sleep, timeout};

/// A task that emits the numbers below `to`, with a pause before each.
fn count(to: u32, pause: Duration) -> TaskHandle<(), Failure, (), u32> {
    manager().spawn("count", async move |ctx: TaskContext<(), u32>| {
        for number in 0..to {
            sleep(pause).await;
            ctx.emit(number).await;
        }
        Ok::<_, Failure>(())
    })
}

async fn rest(items: &mut TaskItems<u32>) -> Vec<u32> {
    let mut rest = Vec::new();
    while let Some(item) = items.next().await {
        rest.push(item.unwrap());
    }
    rest
}

#[tokio::test(start_paused = true)]
async fn items_arrive_once_in_order_and_complete() {
    let task = manager().spawn("count", async |ctx: TaskContext<(), u32>| {
        for number in 0..200_000 {
            ctx.emit(number).await;
        }
        Ok::<_, Failure>(())
    });
    let mut items = task.items();
    for number in 0..200_000 {
        assert_eq!(items.next().await.unwrap().unwrap(), number);
    }
    assert!(items.next().await.is_none());
    assert_eq!((items.position(), items.missed()), (200_000, 0));
    assert!(matches!(task.outcome().await, Outcome::Completed { .. }));
}

#[tokio::test]
async fn a_handler_with_an_error_of_its_own_needs_no_variant_for_emits() {
    #[derive(Debug, PartialEq, serde::Serialize)]
    enum Odd {
        Number(u32),
    }
    let test = TestTask::new(async |ctx: TaskContext<(), u32>, (): ()| {
        let on_thread = ctx.clone();
        let odd = ctx.spawn_blocking(move |_| {
            let numbers = [2, 4, 5, 6].into_iter();
            for number in numbers {
                if number % 2 == 1 {
                    return Some(Odd::Number(number));
                }
                if on_thread.blocking_emit(number).is_err() {
                    break;
                }
            }
            None
        });
        if let Some(odd) = odd.await {
            return Err(odd);
        }
        ctx.emit(8).await;
        Ok(())
    });
    let report = test.run(()).await.unwrap();
    assert_eq!((report.outcome, report.items), (TestOutcome::Failed(Odd::Number(5)), vec![2, 4]));
}

#[tokio::test(start_paused = true)]
async fn bytes_arrive_as_one_stream() {
    let task = manager().spawn("bytes", async |ctx: TaskContext<(), Bytes>| {
        for chunk in 0..100u8 {
            ctx.emit_bytes(vec![chunk; 500_000]).await;
        }
        Ok::<_, Failure>(())
    });
    let mut bytes = task.bytes();
    let mut all = Vec::new();
    while let Some(more) = bytes.next().await {
        all.extend(more.unwrap());
    }
    assert_eq!(all.len(), 50_000_000);
    assert!(all.chunks(500_000).zip(0..100u8).all(|(chunk, byte)| chunk.iter().all(|other| *other == byte)));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_for_the_next_item_loses_nothing() {
    let task = count(20, Duration::from_secs(1));
    let mut items = task.items();
    let (mut got, mut given_up) = (Vec::new(), 0);
    while got.len() < 20 {
        match timeout(Duration::from_millis(300), items.next()).await {
            Ok(item) => got.push(item.unwrap().unwrap()),
            Err(_) => given_up += 1,
        }
    }
    assert!(items.next().await.is_none());
    assert!(items.next().await.is_none(), "it stays at the end");
    assert_eq!(got, (0..20).collect::<Vec<_>>());
    assert!(given_up > 20, "{given_up}");
}

#[tokio::test(start_paused = true)]
async fn a_new_reader_continues_exactly_where_the_last_one_stopped() {
    let task = count(1_000, Duration::ZERO);
    let mut got = Vec::new();
    for few in (1..).take(40) {
        let mut items = task.items();
        for _ in 0..few {
            got.push(items.next().await.unwrap().unwrap());
        }
        assert_eq!((items.position(), items.missed()), (got.len() as u64, 0));
    }
    let mut items = task.items();
    got.extend(rest(&mut items).await);
    assert_eq!(got, (0..1_000).collect::<Vec<_>>());
    drop(items);
    assert_eq!(rest(&mut task.items()).await, Vec::<u32>::new(), "all were read");
}

#[tokio::test(start_paused = true)]
async fn a_new_reader_of_bytes_continues_exactly_where_the_last_one_stopped() {
    let task = manager().spawn("bytes", async |ctx: TaskContext<(), Bytes>| {
        for chunk in 0..200_u8 {
            ctx.emit_bytes(vec![chunk; usize::from(chunk)]).await;
            sleep(Duration::from_millis(u64::from(chunk % 3))).await;
        }
        Ok::<_, Failure>(())
    });
    let mut got = Vec::new();
    loop {
        let mut bytes = task.bytes();
        let Some(more) = bytes.next().await else { break };
        got.extend(more.unwrap());
        assert_eq!((bytes.position(), bytes.missed()), (got.len() as u64, 0));
        // This reader waits once more and is then dropped.
        let _ = timeout(Duration::ZERO, bytes.next()).await.map(|more| got.extend(more.unwrap().unwrap()));
    }
    let expected: Vec<u8> = (0..200_u8).flat_map(|chunk| vec![chunk; usize::from(chunk)]).collect();
    assert_eq!(got, expected);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_never_reads_takes_nothing_and_locks_nobody_out() {
    let task = count(3, Duration::ZERO);
    let idle = task.items();
    assert_eq!(rest(&mut task.items()).await, [0, 1, 2]);
    assert_eq!((idle.position(), idle.missed()), (0, 0));
    let other = count(3, Duration::ZERO);
    drop(other.items());
    assert_eq!(rest(&mut other.items()).await, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_second_reader_is_refused_and_gets_the_rest_when_the_first_is_dropped() {
    let task = count(5, Duration::ZERO);
    let (mut first, mut second) = (task.items(), task.clone().items());
    assert_eq!(first.next().await.unwrap().unwrap(), 0);
    let error = second.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains("end the other reader"), "{error}");
    drop(first);
    assert_eq!(rest(&mut second).await, [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_item_of_another_type_is_an_error_and_the_next_one_follows() {
    const NUMBERS: TaskKey<(), (), Failure, (), u32> = TaskKey::new("mixed");
    let task = manager().spawn("mixed", async |ctx: TaskContext<(), serde_json::Value>| {
        for item in [1.into(), "two".into(), 3.into()] {
            ctx.emit(item).await;
        }
        Ok::<_, Failure>(())
    });
    let mut items = task.typed(NUMBERS).unwrap().items();
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidItem);
    assert!(error.message.contains("task \"mixed\"") && error.message.contains("expected u32"), "{error}");
    assert_eq!((items.next().await.unwrap().unwrap(), items.position()), (3, 3));
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn items_end_with_their_task_however_it_ends() {
    let failed = manager().spawn("fails", async |ctx: TaskContext<(), u32>| {
        ctx.emit(1).await;
        Err::<(), _>(Failure::new("no"))
    });
    assert_eq!(rest(&mut failed.items()).await, [1]);
    assert!(matches!(failed.outcome().await, Outcome::Failed(_)));
    let cancelled = count(100, Duration::from_secs(1));
    let mut items = cancelled.items();
    assert_eq!(items.next().await.unwrap().unwrap(), 0);
    cancelled.cancel().unwrap();
    assert!(items.next().await.is_none());
    assert_eq!(cancelled.status(), TaskStatus::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn dropped_items_are_counted_for_the_next_reader() {
    let task = count(100_000, Duration::ZERO);
    // Without a reader the buffer keeps 65,536 items.
    assert!(matches!(task.outcome().await, Outcome::Completed { .. }));
    let mut items = task.items();
    assert_eq!(items.next().await.unwrap().unwrap(), 100_000 - 65_536);
    assert_eq!((items.missed(), items.position()), (100_000 - 65_536, 100_000 - 65_536 + 1));
    drop(items);
    let mut items = task.items();
    assert_eq!(rest(&mut items).await.len(), 65_535);
    assert_eq!((items.missed(), items.position()), (0, 100_000), "told once");
}

/// Several threads, in real time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn items_of_many_threads_arrive_once_and_in_order_per_thread() {
    const EACH: u32 = 30_000;
    let task = manager().spawn("many", async |ctx: TaskContext<(), (u32, u32)>| {
        let mut emitters = tokio::task::JoinSet::new();
        for emitter in 0..4 {
            let ctx = ctx.clone();
            emitters.spawn(async move {
                for number in 0..EACH {
                    ctx.emit((emitter, number)).await;
                }
            });
        }
        let on_thread = ctx.clone();
        ctx.spawn_blocking(move |_| (0..EACH).try_for_each(|number| on_thread.blocking_emit((4, number)))).await?;
        while let Some(emitted) = emitters.join_next().await {
            emitted.map_err(|panic| Failure::new(panic.to_string()))?;
        }
        Ok::<_, Failure>(())
    });
    let mut next = HashMap::<u32, u32>::new();
    let (mut total, mut missed) = (0, 0);
    'readers: loop {
        let mut items = task.items();
        let mut missed_first = None;
        // Readers come and go meanwhile. While there is none, a full buffer drops its oldest items.
        for _ in 0..7_000 {
            let Some(item) = items.next().await else { break 'readers };
            let (emitter, number) = item.unwrap();
            let expected = next.entry(emitter).or_default();
            assert!(number == *expected || (number > *expected && missed + items.missed() > 0), "of emitter {emitter}");
            *expected = number + 1;
            total += 1;
            assert_eq!(
                items.missed(),
                *missed_first.get_or_insert(items.missed()),
                "nothing is dropped while it reads"
            );
        }
        missed += items.missed();
    }
    assert_eq!(total + missed, u64::from(5 * EACH), "each item was read or counted as missed");
    // What was dropped may include the last ones of a thread that was done early.
    assert!(missed > 0 || next.values().all(|next| *next == EACH), "the last ones are missing: {next:?}");
}
