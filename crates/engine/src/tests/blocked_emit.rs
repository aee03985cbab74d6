//! Emits on which a handler blocks its thread, inside of the tokio task that polls it. Such a thread can't be dropped, so
//! these emits have to return. Beside them, emits that the handler awaits in a way that polls them again and again.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc::{self, Receiver, Sender},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use tokio::{
    join,
    runtime::{Builder, Handle},
    task::{block_in_place, yield_now},
    time::timeout,
};

use super::observe::Log;
use crate::{
    Bytes, Failure, FailureKind, Outcome, TaskContext, TaskHandle, TaskManager, Unread,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::{
        items::{all, rest, secs, unread},
        manager,
    },
};

/// Can't be written as JSON.
struct Bad;

impl Serialize for Bad {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks the thread on `future`, as executors do that know nothing of tokio.
fn park_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

type Block = fn(BoxFuture<'_, ()>);

/// The ways to block a worker of tokio on a future.
const BLOCKS: [Block; 3] = [
    |future| block_in_place(|| Handle::current().block_on(future)),
    |future| block_in_place(|| park_on(future)),
    |future| park_on(future),
];

/// Where a handler says that it has come this far.
type Marks = Arc<Mutex<Sender<&'static str>>>;

fn mark(marks: &Marks, what: &'static str) {
    let _ = marks.lock().send(what);
}

fn marked(marks: &Receiver<&'static str>) -> &'static str {
    marks.recv_timeout(Duration::from_secs(30)).expect("the handler hangs")
}

/// Runs `test` with a manager of this kind and the receiver of its marks on a runtime of several threads. A thread that
/// hangs does not hang the test.
fn on_threads<I, F, Fut>(policy: Policy, handler: F, test: impl FnOnce(&TaskManager, &Receiver<&'static str>))
where
    I: 'static,
    F: Fn(TaskContext<(), I>, Marks) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32, Failure>> + Send + 'static,
{
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (marks, marked) = mpsc::channel();
    let marks = Arc::new(Mutex::new(marks));
    let kind = Kind::new("blocks", policy, Errors::default(), move |ctx: TaskContext<(), I>, (): ()| {
        handler(ctx, Arc::clone(&marks))
    });
    let tasks = {
        let _entered = runtime.enter();
        manager([kind], Settings::default())
    };
    let tested = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&tasks, &marked)));
    runtime.shutdown_background();
    tested.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn outcome(tasks: &TaskManager, task: TaskHandle) -> Outcome {
    let (tell, ended) = mpsc::channel();
    tasks.engine.control().spawn(async move { tell.send(task.outcome().await) });
    ended.recv_timeout(Duration::from_secs(30)).expect("the task never ends")
}

/// Cancels a task that blocks on a full buffer, and waits for its end.
fn cancelled_when_full(tasks: &TaskManager, marks: &Receiver<&'static str>) {
    let task = tasks.start("blocks", ()).unwrap();
    assert_eq!(marked(marks), "full");
    task.cancel().unwrap();
    assert_eq!(marked(marks), "returned");
    outcome(tasks, task);
}

fn is_undeliverable(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure) if failure.kind == FailureKind::Unserializable)
}

#[test]
fn an_item_that_can_not_be_delivered_does_not_hang_a_handler_that_blocks_on_it() {
    for block in BLOCKS {
        let handler = move |ctx: TaskContext<(), Bad>, marks| async move {
            block(Box::pin(ctx.emit(Bad)));
            mark(&marks, "returned");
            Ok(1)
        };
        on_threads(unread(Unread::Wait), handler, |tasks, marks| {
            let task = tasks.start("blocks", ()).unwrap();
            assert_eq!(marked(marks), "returned");
            let outcome = outcome(tasks, task);
            assert!(is_undeliverable(&outcome), "{outcome:?}");
        });
    }
}

#[tokio::test]
async fn a_handler_that_blocks_on_such_an_emit_is_warned_once() {
    let (log, _guard) = Log::capture();
    let kind =
        Kind::new("blocks", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), Bad>, (): ()| {
            for _ in 0..3 {
                park_on(ctx.emit(Bad));
            }
            Ok::<_, Failure>(1)
        });
    let tasks = manager([kind], Settings::default());
    let outcome = tasks.start("blocks", ()).unwrap().outcome().await;
    assert!(is_undeliverable(&outcome), "{outcome:?}");
    assert_eq!(log.count("call TaskContext::blocking_emit"), 1, "{}", log.text());
}

#[test]
fn a_cancel_ends_an_emit_that_a_handler_blocks_on() {
    for block in BLOCKS {
        let handler = move |ctx: TaskContext<(), u32>, marks| async move {
            block(Box::pin(async {
                for number in 0..4 {
                    ctx.emit(number).await;
                }
                mark(&marks, "full");
                ctx.emit(4).await;
            }));
            mark(&marks, "returned");
            Ok(1)
        };
        on_threads(unread(Unread::Wait), handler, cancelled_when_full);
    }
}

#[test]
fn bytes_are_no_exception() {
    for block in BLOCKS {
        let handler = move |ctx: TaskContext<(), Bytes>, marks| async move {
            ctx.emit_bytes([0; 1_000]).await;
            mark(&marks, "full");
            block(Box::pin(ctx.emit_bytes([0; 1_000])));
            mark(&marks, "returned");
            Ok(1)
        };
        on_threads(unread(Unread::Wait), handler, cancelled_when_full);
    }
}

#[test]
fn a_part_that_blocks_beside_others_of_its_handler_ends_too() {
    for block in BLOCKS {
        let handler = move |ctx: TaskContext<(), Bad>, marks: Marks| async move {
            let blocks = async {
                yield_now().await;
                block(Box::pin(ctx.emit(Bad)));
                mark(&marks, "returned");
            };
            let mut parts: Vec<BoxFuture<'_, ()>> = vec![Box::pin(blocks)];
            parts.extend((0..40).map(|_| -> BoxFuture<'_, ()> { Box::pin(yield_now()) }));
            join!(join_all(parts), yield_now());
            Ok(1)
        };
        on_threads(unread(Unread::Wait), handler, |tasks, marks| {
            let task = tasks.start("blocks", ()).unwrap();
            assert_eq!(marked(marks), "returned");
            let outcome = outcome(tasks, task);
            assert!(is_undeliverable(&outcome), "{outcome:?}");
        });
    }
}

#[test]
fn a_handler_can_block_on_more_emits_than_tokio_lets_a_task_do_in_one_turn() {
    for block in BLOCKS {
        let handler = move |ctx: TaskContext<(), u32>, marks| async move {
            for number in 0..1_000 {
                block(Box::pin(ctx.emit(number)));
            }
            mark(&marks, "done");
            Ok(1)
        };
        on_threads(unread(Unread::Wait), handler, |tasks, marks| {
            let task = tasks.start("blocks", ()).unwrap();
            let record = tasks.engine.find(task.id()).unwrap();
            // Off the runtime: a blocked worker keeps the tokio task that it has woken last.
            let reader = thread::spawn(move || park_on(rest(&record, "r", 1, None)));
            assert_eq!(marked(marks), "done");
            assert_eq!(reader.join().unwrap(), all(0..1_000));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_awaits_many_such_emits_at_once_is_dropped_with_all_of_them() {
    for count in [1, 2, 31, 500] {
        let went_on = Arc::<AtomicU32>::default();
        let counts = Arc::clone(&went_on);
        let kind =
            Kind::new("joins", unread(Unread::Wait), Errors::default(), move |ctx: TaskContext<(), Bad>, (): ()| {
                let went_on = Arc::clone(&counts);
                async move {
                    let emit = || async {
                        ctx.emit(Bad).await;
                        went_on.fetch_add(1, SeqCst);
                    };
                    let ready = || async {};
                    let mut parts: Vec<BoxFuture<'_, ()>> = Vec::new();
                    for _ in 0..count {
                        parts.push(Box::pin(emit()));
                        parts.extend((0..5).map(|_| -> BoxFuture<'_, ()> { Box::pin(ready()) }));
                    }
                    join_all(parts).await;
                    went_on.fetch_add(1, SeqCst);
                    Ok::<_, Failure>(1)
                }
            });
        let tasks = manager([kind], Settings::default());
        let task = tasks.start("joins", ()).unwrap();
        let outcome = timeout(secs(60), task.outcome()).await.expect("it never ends");
        assert!(is_undeliverable(&outcome), "{outcome:?}");
        assert_eq!(went_on.load(SeqCst), 0, "each waits to be dropped");
    }
}
