//! Items on their way from the handler to the reader: which of the two waits for the other, and what happens when
//! nobody reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    task::{JoinHandle, yield_now},
    time::{sleep, timeout},
};

use super::manager;
use crate::{
    Backoff, Bytes, CancelReason, Error, ErrorKind, Failure, Outcome, Retention, Retry, Stopped, TaskContext,
    TaskHandle, TaskManager, TaskStatus, Unread,
    items::buffer::{Ask, ReadRefusal, WINDOW},
    policy::{Policy, item_buffer::Bounds},
    record::{Kind, Record},
    run::{engine::Settings, handler::Errors},
    test::items::{
        FOUR, Read, all, ask, cancelled_after, kept, kind_of_numbers, one_number, read, rest, secs, settle, unread,
    },
};

/// A task that emits the numbers below 100, and how many it has emitted.
struct Numbers {
    tasks: TaskManager,
    task: TaskHandle,
    emitted: Arc<AtomicU32>,
}

fn numbers(policy: Policy) -> Numbers {
    let emitted = Arc::<AtomicU32>::default();
    let count = Arc::clone(&emitted);
    let kind = Kind::new("numbers", policy, Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
        let count = Arc::clone(&count);
        async move {
            for number in 0..100 {
                ctx.emit(number).await;
                count.fetch_add(1, SeqCst);
            }
            Ok::<_, Failure>(())
        }
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("numbers", ()).unwrap();
    Numbers { tasks, task, emitted }
}

impl Numbers {
    fn emitted(&self) -> u32 {
        self.emitted.load(SeqCst)
    }

    fn record(&self) -> Arc<Record> {
        self.tasks.engine.find(self.task.id()).unwrap()
    }

    async fn read(&self, reader: &str, chunk: u64, from: Option<u64>) -> Read {
        read(&self.record(), reader, chunk, from).await
    }
}

async fn has_to_wait(record: &Record, reader: &str, chunk: u64) -> bool {
    timeout(secs(5), record.items().read(Ask { reader, label: reader, chunk, from: None, holds: WINDOW }))
        .await
        .is_err()
}

fn reason(outcome: &Outcome) -> Option<CancelReason> {
    if let Outcome::Cancelled { reason } = outcome { Some(reason.clone()) } else { None }
}

// With a reader.

#[tokio::test(start_paused = true)]
async fn a_handler_waits_for_a_slow_reader_and_loses_nothing() {
    for policy in [Unread::DropOldest, Unread::Wait, Unread::Cancel] {
        let numbers = numbers(unread(policy));
        settle().await;
        assert_eq!(numbers.emitted(), 4, "it waits for a reader");
        let mut got = numbers.read("r", 1, None).await.items;
        assert_eq!(got, all(0..4));
        for chunk in 2..20 {
            sleep(secs(3_600)).await;
            let emitted = numbers.emitted() as usize;
            // The other emitted items are in chunks that the reader may still ask for.
            assert!(emitted > got.len() && emitted <= got.len() + 4, "{emitted} when {} were read", got.len());
            assert!(emitted < 100);
            let read = numbers.read("r", chunk, None).await;
            assert_eq!((read.sequence, read.missed), (got.len() as u64, 0));
            got.extend(read.items);
        }
        got.extend(rest(&numbers.record(), "r", 20, None).await);
        assert_eq!(got, all(0..100));
        assert!(matches!(numbers.task.outcome().await, Outcome::Completed { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_releases_a_chunk_frees_the_handler_at_once() {
    let numbers = numbers(unread(Unread::Wait));
    assert_eq!(numbers.read("r", 1, None).await.items, all(0..4));
    settle().await;
    assert_eq!(numbers.emitted(), 5);
    // A later request arrives first. It releases chunk 1 even though it has to wait itself.
    let record = numbers.record();
    let late = tokio::spawn(async move { read(&record, "r", WINDOW + 1, None).await });
    settle().await;
    assert_eq!(numbers.emitted(), 8);
    assert_eq!(numbers.read("r", 2, None).await.items, all(4..8));
    for chunk in 3..=WINDOW {
        assert_eq!(numbers.read("r", chunk, None).await.sequence, 5 + chunk);
    }
    assert_eq!(late.await.unwrap().sequence, 6 + WINDOW);
}

#[tokio::test(start_paused = true)]
async fn a_buffer_is_bounded_in_bytes_too() {
    let kind = |name: &str| {
        let policy =
            Policy { item_buffer: Bounds { items: 1_000, bytes: 100 }, unread: Unread::Wait, ..Policy::default() };
        (name.to_owned(), policy)
    };
    let emitted = Arc::<AtomicU32>::default();
    let (count, (name, policy)) = (Arc::clone(&emitted), kind("texts"));
    let texts = Kind::new(&name, policy, Errors::default(), move |ctx: TaskContext<(), String>, (): ()| {
        let count = Arc::clone(&count);
        async move {
            loop {
                ctx.emit("x".repeat(31)).await;
                count.fetch_add(1, SeqCst);
            }
            #[allow(unreachable_code)]
            Ok::<(), Failure>(())
        }
    });
    let sent = Arc::<AtomicU32>::default();
    let (count, (name, policy)) = (Arc::clone(&sent), kind("bytes"));
    let bytes = Kind::new(&name, policy, Errors::default(), move |ctx: TaskContext<(), Bytes>, (): ()| {
        let count = Arc::clone(&count);
        async move {
            loop {
                ctx.emit_bytes([0; 30]).await;
                count.fetch_add(1, SeqCst);
            }
            #[allow(unreachable_code)]
            Ok::<(), Failure>(())
        }
    });
    let tasks = manager([texts, bytes], Settings::default());
    let (_texts, _bytes) = (tasks.start("texts", ()).unwrap(), tasks.start("bytes", ()).unwrap());
    sleep(secs(60)).await;
    // 33 bytes each as JSON, and a comma.
    assert_eq!((emitted.load(SeqCst), sent.load(SeqCst)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn two_clones_that_emit_at_once_lose_nothing_and_keep_their_order() {
    let kind = Kind::new("pair", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        let other = ctx.clone();
        let spawned = tokio::spawn(async move {
            for number in 1_000..1_200 {
                other.emit(number).await;
            }
        });
        for number in 0..200 {
            ctx.emit(number).await;
        }
        spawned.await.unwrap();
        Ok::<_, Failure>(())
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("pair", ()).unwrap();
    let items = rest(&tasks.engine.find(task.id()).unwrap(), "r", 1, None).await;
    let (ones, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|number| *number < 1_000);
    assert_eq!((ones, others), (all(0..200), all(1_000..1_200)));
}

#[tokio::test(start_paused = true)]
async fn waiting_reads_end_with_the_task_even_if_it_emits_nothing() {
    let tasks = manager([], Settings::default());
    let task = tasks.spawn("quiet", async |_: TaskContext<(), u32>| {
        sleep(secs(60)).await;
        Ok::<_, Failure>(())
    });
    let record = tasks.engine.find(task.id()).unwrap();
    assert!(has_to_wait(&record, "r", 1).await);
    let (first, second) = tokio::join!(read(&record, "r", 1, None), read(&record, "r", 2, None));
    let end = Read { sequence: 0, missed: 0, done: true, items: vec![] };
    assert_eq!((&first, &second), (&end, &end));
    assert_eq!(read(&record, "r", 2, None).await, end);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_read_ends_when_its_reader_stops() {
    let (_tasks, _task, record) = one_number(unread(Unread::Wait));
    read(&record, "r", 1, None).await;
    let (waited, ()) = tokio::join!(timeout(secs(60), record.items().read(ask("r", 2))), async {
        sleep(secs(1)).await;
        record.items().stop("r", 1);
    });
    assert_eq!(waited.expect("it still waits for a chunk that never comes").unwrap_err(), ReadRefusal::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_after_the_end_is_told_that_there_are_no_items() {
    let tasks = manager([], Settings::default());
    let task = tasks.spawn("quiet", async |_: TaskContext<(), u32>| Ok::<_, Failure>(()));
    task.outcome().await;
    let record = tasks.engine.find(task.id()).unwrap();
    assert_eq!(read(&record, "r", 1, None).await, Read { sequence: 0, missed: 0, done: true, items: vec![] });
}

#[tokio::test(start_paused = true)]
async fn a_task_can_be_read_before_it_begins() {
    let tasks = manager([kind_of_numbers(unread(Unread::Cancel))], Settings::default());
    let held = tasks.start_with("plain", 6, crate::StartOptions::new().held()).unwrap();
    let record = tasks.engine.find(held.id()).unwrap();
    let reading = tokio::spawn(async move { rest(&record, "r", 1, None).await });
    sleep(secs(3_600)).await;
    held.resume().unwrap();
    assert_eq!(reading.await.unwrap(), all(0..6));
}

// Without a reader.

#[tokio::test(start_paused = true)]
async fn a_handler_waits_ten_seconds_for_a_reader_and_then_drops_the_oldest_items() {
    let numbers = numbers(unread(Unread::DropOldest));
    sleep(Duration::from_millis(9_900)).await;
    assert_eq!(numbers.emitted(), 4);
    sleep(Duration::from_millis(200)).await;
    assert_eq!((numbers.emitted(), numbers.task.status()), (100, TaskStatus::Completed));
    let late = numbers.read("late", 1, None).await;
    assert_eq!(late, Read { sequence: 96, missed: 96, done: true, items: all(96..100) });
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_ends_the_wait_for_readers_at_once() {
    let dropping = numbers(unread(Unread::DropOldest));
    dropping.read("r", 1, None).await;
    dropping.record().items().stop("r", 4);
    settle().await;
    assert_eq!(dropping.emitted(), 100);
    let (_tasks, task, record) = one_number(unread(Unread::Cancel));
    read(&record, "r", 1, None).await;
    record.items().stop("r", 1);
    assert_eq!(cancelled_after(&task).await, Some(secs(0)));
}

#[tokio::test(start_paused = true)]
async fn calls_for_unknown_readers_change_nothing() {
    let numbers = numbers(unread(Unread::DropOldest));
    sleep(secs(5)).await;
    numbers.record().items().stop("stranger", 3);
    numbers.record().items().lose("another", false);
    sleep(secs(4)).await;
    assert_eq!(numbers.emitted(), 4, "it still waits");
    numbers.record().items().lose("third", true);
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(numbers.emitted(), 100, "it waits no longer");
    assert_eq!(numbers.read("late", 1, None).await.missed, 96);
}

#[tokio::test(start_paused = true)]
async fn a_reader_in_time_misses_nothing_and_a_late_one_is_told_what_it_missed() {
    let numbers = numbers(unread(Unread::DropOldest));
    sleep(Duration::from_millis(9_900)).await;
    assert_eq!(numbers.read("r", 1, Some(0)).await.items, all(0..4));
    sleep(secs(60)).await;
    assert!(numbers.emitted() < 100, "it waits for its reader now");
    numbers.record().items().stop("r", 2);
    settle().await;
    assert_eq!(numbers.emitted(), 100, "it waits for nobody");
    let late = numbers.read("late", 1, None).await;
    assert_eq!(late, Read { sequence: 96, missed: 94, done: true, items: all(96..100) });
}

#[tokio::test(start_paused = true)]
async fn a_handler_waits_ten_seconds_if_its_reader_was_lost_in_a_reload() {
    let numbers = numbers(unread(Unread::DropOldest));
    assert_eq!(numbers.read("r", 1, None).await.items, all(0..4));
    sleep(secs(3_600)).await;
    numbers.record().items().lose("r", true);
    sleep(Duration::from_millis(9_900)).await;
    assert_eq!(numbers.emitted(), 5);
    // The next reader may begin with what the lost one had not released, or after it.
    assert_eq!(numbers.read("next", 1, Some(2)).await.items, all(2..4));
    sleep(secs(3_600)).await;
    numbers.record().items().lose("next", true);
    sleep(Duration::from_millis(10_100)).await;
    assert_eq!(numbers.emitted(), 100);
    assert_eq!(numbers.read("late", 1, Some(4)).await.missed, 92);
}

#[tokio::test(start_paused = true)]
async fn a_handler_does_not_wait_if_its_reader_was_lost_for_good() {
    let numbers = numbers(unread(Unread::DropOldest));
    numbers.read("r", 1, None).await;
    numbers.record().items().lose("r", false);
    settle().await;
    assert_eq!(numbers.emitted(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_waits_for_readers_waits_however_the_last_one_left() {
    let numbers = numbers(unread(Unread::Wait));
    sleep(secs(3_600)).await;
    assert_eq!(numbers.emitted(), 4, "there never was a reader");
    numbers.read("a", 1, None).await;
    numbers.record().items().stop("a", 1);
    sleep(secs(3_600)).await;
    numbers.read("b", 1, None).await;
    numbers.record().items().lose("b", true);
    sleep(secs(3_600)).await;
    numbers.read("c", 1, None).await;
    numbers.record().items().lose("c", false);
    sleep(secs(3_600)).await;
    assert!(numbers.emitted() < 10, "{}", numbers.emitted());
    assert_eq!(rest(&numbers.record(), "d", 1, None).await, all(1..100));
}

#[tokio::test(start_paused = true)]
async fn an_unread_task_is_cancelled_even_if_it_does_not_wait_to_emit() {
    let (_tasks, never_read, _) = one_number(unread(Unread::Cancel));
    assert_eq!(cancelled_after(&never_read).await, Some(secs(10)));

    let (_tasks, stopped, record) = one_number(unread(Unread::Cancel));
    read(&record, "r", 1, None).await;
    assert_eq!(cancelled_after(&stopped).await, None, "it is being read");
    record.items().stop("r", 1);
    assert_eq!(cancelled_after(&stopped).await, Some(secs(0)));

    let (_tasks, lost, record) = one_number(unread(Unread::Cancel));
    read(&record, "r", 1, None).await;
    sleep(secs(60)).await;
    record.items().lose("r", false);
    assert_eq!(cancelled_after(&lost).await, Some(secs(0)));

    let (_tasks, reloaded, record) = one_number(unread(Unread::Cancel));
    read(&record, "r", 1, None).await;
    sleep(secs(60)).await;
    record.items().lose("r", true);
    assert_eq!(cancelled_after(&reloaded).await, Some(secs(10)));
}

#[tokio::test(start_paused = true)]
async fn an_unread_task_is_not_cancelled_if_a_reader_comes_in_time() {
    let (_tasks, task, record) = one_number(unread(Unread::Cancel));
    for reader in ["a", "b", "c"] {
        sleep(Duration::from_millis(9_900)).await;
        assert_eq!(read(&record, reader, 1, Some(0)).await.items, [7]);
        sleep(secs(30)).await;
        // A late call of the last reader makes no difference.
        record.items().stop("someone else", 0);
        record.items().lose(reader, true);
    }
    assert_eq!(task.status(), TaskStatus::Running);
    assert_eq!(cancelled_after(&task).await, Some(secs(10)));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_cancels_unread_tasks_never_drops_items() {
    let numbers = numbers(unread(Unread::Cancel));
    assert_eq!(reason(&numbers.task.outcome().await), Some(CancelReason::Unread));
    assert_eq!(numbers.read("late", 1, None).await, Read { sequence: 0, missed: 0, done: true, items: all(0..4) });
}

/// A reader that came and was lost while the task was queued doesn't shorten the wait.
#[tokio::test(start_paused = true)]
async fn an_unread_task_is_cancelled_ten_seconds_after_it_begins() {
    let tasks = manager([kind_of_numbers(unread(Unread::Cancel))], Settings::default());
    let held = tasks.start_with("plain", 100, crate::StartOptions::new().held()).unwrap();
    let record = tasks.engine.find(held.id()).unwrap();
    assert!(has_to_wait(&record, "r", 1).await);
    record.items().lose("r", true);
    sleep(secs(60)).await;
    held.resume().unwrap();
    assert_eq!(cancelled_after(&held).await, Some(secs(10)));
}

// Attempts and their leftovers.

#[tokio::test(start_paused = true)]
async fn item_numbers_continue_in_the_next_attempt() {
    let policy =
        Policy { retry: Some(Retry::attempts(3).backoff(Backoff::exponential().jitter(false))), ..Policy::default() };
    let kind = Kind::new("flaky", policy, Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        for number in 0..3 {
            ctx.emit(ctx.attempt() * 10 + number).await;
        }
        if ctx.attempt() < 3 { Err(Failure::new("again")) } else { Ok(()) }
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("flaky", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    let first = read(&record, "r", 1, None).await;
    assert_eq!((first.sequence, first.items), (0, vec![10, 11, 12]));
    let second = read(&record, "r", 2, None).await;
    assert_eq!((second.sequence, second.items, second.done), (3, vec![20, 21, 22], false));
    assert_eq!(rest(&record, "r", 3, None).await, [30, 31, 32]);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_holds_what_one_attempt_has_emitted_and_readers_know_which() {
    let policy = || Policy { retry: Some(Retry::attempts(3)), ..Policy::default() };
    let numbers = Kind::new("numbers", policy(), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        // The second attempt emits nothing.
        for number in (0..3).filter(|_| ctx.attempt() != 2) {
            ctx.emit(ctx.attempt() * 10 + number).await;
        }
        if ctx.attempt() < 3 { Err(Failure::new("again")) } else { Ok(()) }
    });
    let bytes = Kind::new("bytes", policy(), Errors::default(), async |ctx: TaskContext<(), Bytes>, (): ()| {
        let attempt = u8::try_from(ctx.attempt()).unwrap();
        ctx.emit_bytes(&vec![attempt; 5]).await;
        if ctx.attempt() < 2 { Err(Failure::new("again")) } else { Ok(()) }
    });
    let tasks = manager([numbers, bytes], Settings::default());
    let task = tasks.start("numbers", ()).unwrap();
    task.outcome().await;
    let record = tasks.engine.find(task.id()).unwrap();
    let chunk = |number: u64| record.items().read(ask("r", number));
    let mut chunks = Vec::new();
    for number in 1..=3 {
        let chunk = chunk(number).await.unwrap();
        chunks.push((chunk.attempt, String::from_utf8(chunk.data().to_vec()).unwrap(), chunk.done));
    }
    let expected = [(1, "10,11,12", false), (3, "30,31,32", true), (3, "", true)];
    assert_eq!(chunks, expected.map(|(attempt, data, done)| (attempt, data.to_owned(), done)));
    record.items().stop("r", 0);

    let task = tasks.start("numbers", ()).unwrap();
    let mut items = task.items();
    assert_eq!(items.attempt(), 0);
    while let Some(item) = items.next().await {
        assert_eq!(items.attempt(), item.unwrap().read::<u32>().unwrap() / 10);
    }
    assert_eq!(items.attempt(), 3);
    assert_eq!(task.items().attempt(), 0);

    let task = tasks.start("bytes", ()).unwrap();
    let mut bytes = task.bytes();
    let mut read = Vec::new();
    while let Some(piece) = bytes.next().await {
        let piece = piece.unwrap();
        assert!(piece.iter().all(|byte| u32::from(*byte) == bytes.attempt()), "{piece:?} of {}", bytes.attempt());
        read.extend(piece);
    }
    assert_eq!(read, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn leftovers_of_an_attempt_emit_nothing_later() {
    let policy = Policy {
        retry: Some(Retry::attempts(2).backoff(Backoff::exponential().jitter(false))),
        item_buffer: FOUR,
        unread: Unread::Wait,
        ..Policy::default()
    };
    let leftovers = Arc::<Mutex<Vec<JoinHandle<Error>>>>::default();
    let contexts = Arc::<Mutex<Vec<TaskContext<(), u32>>>>::default();
    let (left, kept) = (Arc::clone(&leftovers), Arc::clone(&contexts));
    let kind = Kind::new("flaky", policy, Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
        let (left, kept) = (Arc::clone(&left), Arc::clone(&kept));
        async move {
            kept.lock().push(ctx.clone());
            if ctx.attempt() == 1 {
                for wait in [Duration::ZERO, secs(10)] {
                    let ctx = ctx.clone();
                    let spawned = tokio::spawn(async move {
                        sleep(wait).await;
                        loop {
                            if let Err(error) = ctx.try_emit(666).await {
                                return error;
                            }
                        }
                    });
                    left.lock().push(spawned);
                }
                // One of them now waits for room in the full buffer.
                sleep(Duration::from_millis(10)).await;
                return Err(Failure::new("again"));
            }
            sleep(secs(20)).await;
            ctx.emit(2).await;
            Ok(())
        }
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("flaky", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    sleep(secs(5)).await;
    assert_eq!(task.snapshot().attempt, 2);
    assert_eq!(rest(&record, "r", 1, None).await, [666, 666, 666, 666, 2]);
    let kept = record.items().bytes();
    let leftovers = std::mem::take(&mut *leftovers.lock());
    for leftover in leftovers {
        assert_eq!(leftover.await.unwrap().kind, ErrorKind::Stopped);
    }
    let contexts = std::mem::take(&mut *contexts.lock());
    for ctx in contexts {
        assert_eq!(ctx.try_emit(3).await.unwrap_err().kind, ErrorKind::Stopped, "the task has ended");
        timeout(secs(60), ctx.emit(3)).await.expect("it waits for nothing");
        let thread = std::thread::spawn(move || ctx.blocking_emit(3));
        assert_eq!(thread.join().unwrap(), Err(Stopped));
    }
    assert_eq!(record.items().bytes(), kept, "nothing was added after the end");
}

#[tokio::test(start_paused = true)]
async fn a_leftover_that_waits_to_emit_is_freed_when_its_handler_is_over() {
    let leftover = Arc::<Mutex<Option<JoinHandle<Result<(), Error>>>>>::default();
    let left = Arc::clone(&leftover);
    let policy = Policy {
        retry: Some(Retry::attempts(2).backoff(Backoff::exponential().jitter(false))),
        ..unread(Unread::Wait)
    };
    let kind = Kind::new("flaky", policy, Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
        let left = Arc::clone(&left);
        async move {
            if ctx.attempt() == 1 {
                let ctx = ctx.clone();
                *left.lock() = Some(tokio::spawn(async move {
                    for number in 0..100 {
                        ctx.try_emit(number).await?;
                    }
                    Ok(())
                }));
                sleep(secs(1)).await;
                return Err(Failure::new("again"));
            }
            std::future::pending::<Result<(), Failure>>().await
        }
    });
    let tasks = manager([kind], Settings::default());
    let _task = tasks.start("flaky", ()).unwrap();
    sleep(secs(2)).await;
    let leftover = leftover.lock().take().unwrap();
    let freed = timeout(secs(60), leftover).await.expect("it still waits for a reader");
    assert_eq!(freed.unwrap().unwrap_err().kind, ErrorKind::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_leftover_that_waits_to_emit_is_freed_when_its_task_ends() {
    let leftover = Arc::<Mutex<Option<JoinHandle<Error>>>>::default();
    let left = Arc::clone(&leftover);
    let kind =
        Kind::new("leaves", unread(Unread::Wait), Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
            let left = Arc::clone(&left);
            async move {
                *left.lock() = Some(tokio::spawn(async move {
                    loop {
                        if let Err(error) = ctx.try_emit(1).await {
                            return error;
                        }
                    }
                }));
                sleep(secs(1)).await;
                Ok::<_, Failure>(())
            }
        });
    let tasks = manager([kind], Settings::default());
    tasks.start("leaves", ()).unwrap().outcome().await;
    let leftover = leftover.lock().take().unwrap();
    assert_eq!(timeout(secs(60), leftover).await.unwrap().unwrap().kind, ErrorKind::Stopped);
}

// Cancelling.

#[tokio::test(start_paused = true)]
async fn a_task_that_was_told_to_stop_still_emits_while_there_is_room() {
    let kind =
        Kind::new("last words", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
            ctx.cancelled().await;
            let mut taken = 0;
            while ctx.try_emit(taken).await.is_ok() {
                taken += 1;
            }
            Ok::<_, Failure>(taken)
        });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("last words", ()).unwrap();
    settle().await;
    task.cancel().unwrap();
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(4), "it emits no more than that");
    assert_eq!(rest(&tasks.engine.find(task.id()).unwrap(), "r", 1, None).await, all(0..4));
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_handler_that_is_dropped_while_it_emits_are_kept() {
    let numbers = numbers(unread(Unread::Wait));
    settle().await;
    numbers.task.cancel().unwrap();
    assert_eq!(reason(&numbers.task.outcome().await), Some(CancelReason::User));
    assert_eq!(numbers.read("r", 1, None).await, Read { sequence: 0, missed: 0, done: true, items: all(0..4) });
}

#[tokio::test(start_paused = true)]
async fn an_emit_that_is_dropped_while_it_waits_emits_nothing() {
    let kind =
        Kind::new("impatient", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
            for number in 0..4 {
                ctx.emit(number).await;
            }
            for number in 4..10 {
                assert!(timeout(secs(1), ctx.emit(number)).await.is_err());
            }
            ctx.emit(10).await;
            Ok::<_, Failure>(())
        });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("impatient", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    sleep(secs(60)).await;
    assert_eq!(rest(&record, "r", 1, None).await, [0, 1, 2, 3, 10]);
}

// Threads. These tests use real time, since tokio's paused time stands still while a thread runs.

async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + secs(10);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(1)).await;
        yield_now().await;
    }
}

/// A task whose thread emits the numbers below 100.
struct Blocking {
    task: TaskHandle,
    record: Arc<Record>,
    emitted: Arc<AtomicU32>,
    /// What the thread's last emit returned.
    told: mpsc::Receiver<Result<(), Stopped>>,
}

/// If it `waits`, the handler waits for the thread; otherwise, it returns as soon as the buffer is full.
fn blocking(waits: bool) -> Blocking {
    let emitted = Arc::<AtomicU32>::default();
    let (count, (tell, told)) = (Arc::clone(&emitted), mpsc::channel());
    let kind =
        Kind::new("blocking", unread(Unread::Wait), Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
            let (count, tell) = (Arc::clone(&count), tell.clone());
            async move {
                let on_thread = ctx.clone();
                let has_begun = Arc::clone(&count);
                let work = ctx.spawn_blocking(move |_| {
                    let mut emitted = Ok(());
                    for number in 0..100 {
                        emitted = on_thread.blocking_emit(number);
                        if emitted.is_err() {
                            break;
                        }
                        count.fetch_add(1, SeqCst);
                    }
                    tell.send(emitted).unwrap();
                });
                if waits {
                    work.await;
                } else {
                    eventually("a full buffer", || has_begun.load(SeqCst) == 4).await;
                }
                Ok::<_, Failure>(())
            }
        });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("blocking", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    Blocking { task, record, emitted, told }
}

#[tokio::test]
async fn a_thread_that_emits_waits_for_the_reader() {
    let Blocking { task, record, emitted, told } = blocking(true);
    eventually("a full buffer", || emitted.load(SeqCst) == 4).await;
    assert!(told.try_recv().is_err());
    assert_eq!(rest(&record, "r", 1, None).await, all(0..100));
    assert!(matches!(task.outcome().await, Outcome::Completed { .. }));
    assert!(told.recv_timeout(secs(10)).unwrap().is_ok());
}

#[tokio::test]
async fn a_cancel_frees_a_thread_that_waits_to_emit() {
    let Blocking { task, emitted, told, .. } = blocking(true);
    eventually("a full buffer", || emitted.load(SeqCst) == 4).await;
    task.cancel().unwrap();
    eventually("its end", || task.status() == TaskStatus::Cancelled).await;
    assert_eq!(told.recv_timeout(secs(10)).unwrap(), Err(Stopped));
}

#[tokio::test]
async fn the_end_of_the_handler_frees_a_thread_that_waits_to_emit() {
    let Blocking { task, told, .. } = blocking(false);
    let ended = timeout(secs(5), task.outcome()).await;
    // Without this, a failing test would hang: its runtime waits for the thread.
    let _ = task.cancel();
    assert!(ended.is_ok(), "the thread was not freed, and its task waits for it");
    assert_eq!(told.recv_timeout(secs(10)).unwrap(), Err(Stopped));
}

// After the end.

#[tokio::test(start_paused = true)]
async fn items_are_kept_after_the_end_and_count_for_the_retention() {
    let settings = Settings { retention: Retention::default().bytes(2_500), ..Settings::default() };
    let tasks = manager([kind_of_numbers(Policy::default())], settings);
    let mut started = Vec::new();
    // 1,089 bytes each.
    for _ in 0..3 {
        let task = tasks.start("plain", 300).unwrap();
        task.outcome().await;
        started.push(task);
    }
    assert_eq!(kept(&tasks), started[1..].iter().map(TaskHandle::id).collect::<Vec<_>>());
    let record = tasks.engine.find(started[1].id()).unwrap();
    assert_eq!(rest(&record, "r", 1, None).await, all(0..300));
    sleep(secs(3_600)).await;
    assert_eq!(kept(&tasks), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_being_read_is_kept_for_half_a_minute_after_its_end() {
    let settings = Settings { retention: Retention::default().count(0), ..Settings::default() };
    let tasks = manager([kind_of_numbers(Policy::default())], settings);
    let task = tasks.start("plain", 100).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    read(&record, "r", 1, None).await;
    task.outcome().await;
    sleep(secs(29)).await;
    assert_eq!(kept(&tasks), [task.id()]);
    sleep(secs(2)).await;
    assert_eq!(kept(&tasks), []);
}
