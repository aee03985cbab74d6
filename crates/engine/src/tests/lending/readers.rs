//! A task that emits lets its reader go first, if that waits for a slot of the task.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::{App, ended, in_group, ms};
use crate::{
    Failure, LimitOf, Outcome, TaskContext, TaskHandle, TaskKey,
    policy::{Policy, item_buffer::Bounds},
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::log::Log,
};

const SOURCE: TaskKey<(), (), Failure, (), u32> = TaskKey::new("source");

fn of_two(policy: Policy) -> Policy {
    Policy { item_buffer: Bounds { items: 2, bytes: 100 }, ..policy }
}

fn disk() -> Settings {
    Settings { groups: vec![("disk".into(), 1)], ..Settings::default() }
}

async fn emits(ctx: TaskContext<(), u32>) {
    for number in 0.. {
        ctx.emit(number).await;
    }
}

/// The emits of a source, and what polls its handler.
type Emits = Mutex<Option<(BoxFuture<'static, ()>, Waker)>>;

/// On another thread, the source may fill its buffer again after the reader has taken items, and before the reader waits
/// for its slot.
#[tokio::test(start_paused = true)]
async fn a_task_sees_that_its_reader_waits_for_its_slot_even_if_it_looked_just_before() {
    let app = App::new();
    let emits_of_source = Arc::<Emits>::default();
    let (here, there) = (Arc::clone(&emits_of_source), emits_of_source);
    let source =
        Kind::new("source", of_two(in_group()), Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
            *here.lock() = Some((Box::pin(emits(ctx)), Waker::noop().clone()));
            let here = Arc::clone(&here);
            poll_fn(move |context| {
                let mut emits = here.lock();
                let (emits, waker) = emits.as_mut().unwrap();
                waker.clone_from(context.waker());
                emits.as_mut().poll(context).map(Ok::<_, Failure>)
            })
        });
    let tasks = app.clone();
    let parent = Kind::new("parent", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let (app, there) = (tasks.clone(), Arc::clone(&there));
        async move {
            let child = app.tasks().start(SOURCE, ())?;
            let mut items = child.items();
            let mut next = pin!(items.next());
            let first = poll_fn(|context| {
                let polled = next.as_mut().poll(context);
                if let (Poll::Pending, Some((emits, waker))) = (&polled, &mut *there.lock()) {
                    let waker = waker.clone();
                    assert!(emits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                }
                polled
            });
            assert_eq!(first.await.unwrap()?, 0);
            child.cancel()?;
            child.outcome().await;
            Ok::<_, Failure>(())
        }
    });
    app.run([source, parent], disk());
    let outcome = ended(&app.parent()).await;
    assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
    assert_eq!(app.begin.elapsed(), Duration::ZERO);
}

/// Long after the log has told that the reader does not ask, the limits change so that it waits for the slot of the source.
#[tokio::test(start_paused = true)]
async fn a_task_sees_that_its_reader_waits_for_its_slot_however_late_it_begins_to() {
    let log = Log::capture();
    let app = App::new();
    let source = async |ctx: TaskContext<(), u32>, (): ()| {
        sleep(ms(10)).await;
        emits(ctx).await;
        Ok::<_, Failure>(())
    };
    let source = Kind::new("source", of_two(Policy::default()), Errors::default(), source);
    let sleeps = Kind::new("sleep", in_group(), Errors::default(), async |_: TaskContext, secs: u64| {
        sleep(Duration::from_secs(secs)).await;
        Ok::<_, Failure>(())
    });
    let here = app.clone();
    let parent = Kind::new("parent", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let app = here.clone();
        async move {
            let child: TaskHandle<(), Failure, (), u32> = app.tasks().start(SOURCE, ())?;
            assert_eq!(child.items().next().await.unwrap()?, 0);
            child.cancel()?;
            Ok::<_, Failure>(())
        }
    });
    app.run([source, sleeps, parent], disk());
    let parent = app.parent();
    sleep(ms(1)).await;
    let other = app.tasks().start("sleep", 100_u64).unwrap();
    sleep(Duration::from_secs(80)).await;
    assert_eq!(log.count("has not asked for anything"), 1, "{log:?}");
    app.tasks().set_limit(LimitOf::App, 1).unwrap();
    ended(&other).await;
    ended(&parent).await;
    assert!(app.begin.elapsed() < Duration::from_secs(110), "{:?}", app.begin.elapsed());
}
