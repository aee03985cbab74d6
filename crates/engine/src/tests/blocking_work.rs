//! Work that waits for a blocking thread while all of them are busy.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
    mpsc,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    time::Instant,
};

use super::manager;
use crate::{CancelReason, Failure, Outcome, TaskContext, TaskHandle, TaskManager, TaskStatus, run::engine::Settings};

/// A runtime in paused time with one blocking thread, which is held. Its time stands still meanwhile.
struct Full {
    /// Dropped before the runtime, which waits for the thread.
    release: mpsc::Sender<()>,
    runtime: Runtime,
    tasks: TaskManager,
    begin: Instant,
}

impl Full {
    fn new() -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).max_blocking_threads(1).build().unwrap();
        let (release, released) = mpsc::channel();
        let (tell, is_held) = mpsc::channel();
        runtime.spawn_blocking(move || {
            tell.send(()).unwrap();
            let _ = released.recv();
        });
        is_held.recv().unwrap();
        let (tasks, begin) = {
            let _entered = runtime.enter();
            (manager([], Settings::default()), Instant::now())
        };
        Self { release, runtime, tasks, begin }
    }

    /// Waits until the handler waits for its work.
    fn waits(&self, task: &TaskHandle) {
        self.runtime.block_on(async {
            let record = self.tasks.engine.find(task.id()).unwrap();
            while record.status() == TaskStatus::Queued {
                tokio::task::yield_now().await;
            }
            record.settled().await;
        });
    }

    /// Cancels the task, and checks that it ends at once, before its work has a thread.
    fn is_over_at_once(&self, task: &TaskHandle) {
        self.waits(task);
        task.cancel().unwrap();
        let outcome = self.runtime.block_on(task.outcome());
        assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::User }), "{outcome:?}");
        assert_eq!(self.now(), self.begin);
    }

    fn now(&self) -> Instant {
        let _entered = self.runtime.enter();
        Instant::now()
    }

    /// Frees the thread, and waits until it has run all that is queued.
    fn release(self) {
        drop(self.release);
        self.runtime.block_on(self.runtime.spawn_blocking(|| ())).unwrap();
    }
}

/// Whether work has run, and whether it was dropped.
#[derive(Clone, Default)]
struct Fate {
    ran: Arc<AtomicBool>,
    kept: Arc<()>,
}

impl Fate {
    fn work(&self) -> impl FnOnce(tokio_util::sync::CancellationToken) + Send + 'static {
        let Self { ran, kept } = self.clone();
        move |_| {
            ran.store(true, SeqCst);
            drop(kept);
        }
    }

    fn ran(&self) -> bool {
        self.ran.load(SeqCst)
    }

    /// How many of [`work`](Self::work) are still kept.
    fn kept(&self) -> usize {
        Arc::strong_count(&self.kept) - 1
    }
}

#[test]
fn work_that_is_cancelled_before_it_has_a_thread_is_over_at_once() {
    for asks in [false, true] {
        let (full, fate) = (Full::new(), Fate::default());
        let work = fate.work();
        let task = full.tasks.spawn("blocks", async move |ctx: TaskContext| {
            let _token = asks.then(|| ctx.token());
            ctx.spawn_blocking(work).await;
            Ok::<_, Failure>(())
        });
        full.is_over_at_once(&task.untyped());
        assert_eq!(fate.kept(), 0, "it is dropped with its task");
        full.release();
        assert!(!fate.ran());
    }
}

#[test]
fn a_handler_that_selects_between_such_work_and_its_token_goes_on() {
    let (full, fate) = (Full::new(), Fate::default());
    let work = fate.work();
    let task = full.tasks.spawn("selects", async move |ctx: TaskContext| {
        tokio::select! {
            () = ctx.spawn_blocking(work) => Err(Failure::new("it ran")),
            () = ctx.cancelled() => {
                tokio::task::yield_now().await;
                Ok("in spite of the cancel".to_owned())
            }
        }
    });
    full.waits(&task.clone().untyped());
    task.cancel().unwrap();
    let output = full.runtime.block_on(task.result());
    assert_eq!((output.unwrap().as_str(), fate.kept()), ("in spite of the cancel", 0));
    full.release();
    assert!(!fate.ran());
}

#[test]
fn many_at_once_are_over_at_once() {
    let (full, fate) = (Full::new(), Fate::default());
    let work: Vec<_> = (0..100).map(|_| fate.work()).collect();
    let task = full.tasks.spawn("many", async move |ctx: TaskContext| {
        let _token = ctx.token();
        let mut set = tokio::task::JoinSet::new();
        let mut work = work.into_iter();
        for work in work.by_ref().take(50) {
            set.spawn(ctx.spawn_blocking(work));
        }
        futures_util::future::join_all(work.map(|work| ctx.spawn_blocking(work))).await;
        Ok::<_, Failure>(())
    });
    full.is_over_at_once(&task.untyped());
    assert_eq!(fate.kept(), 0);
    full.release();
    assert!(!fate.ran());
}

#[test]
fn work_that_is_left_behind_before_it_has_a_thread_is_over_with_the_handler() {
    let (full, fate) = (Full::new(), Fate::default());
    let (work, forgotten) = (fate.work(), fate.work());
    let (tell, told) = oneshot::channel();
    let task = full.tasks.spawn("leaves", async move |ctx: TaskContext| {
        let _ = tell.send(tokio::spawn(ctx.spawn_blocking(work)));
        // Nobody polls this one, and nobody drops it.
        std::mem::forget(ctx.spawn_blocking(forgotten));
        Ok::<_, Failure>(7)
    });
    assert_eq!(full.runtime.block_on(task.result()), Ok(7));
    assert_eq!((full.now(), fate.kept()), (full.begin, 0));
    let left = full.runtime.block_on(async { told.await.unwrap().await });
    assert!(left.unwrap_err().is_panic(), "what awaits it ends");
    full.release();
    assert!(!fate.ran());
}

#[test]
fn work_of_a_handler_that_was_told_to_stop_still_runs() {
    let (full, fate) = (Full::new(), Fate::default());
    let (in_handler, clean_up) = (Fate::default(), fate.work());
    let saves = in_handler.work();
    let (tell, queued) = oneshot::channel();
    let task = full.tasks.spawn("saves", async move |ctx: TaskContext| {
        let cleans = ctx.clone();
        ctx.on_cancel(async move { cleans.spawn_blocking(clean_up).await });
        ctx.cancelled().await;
        let on_thread = ctx.spawn_blocking(saves);
        let _ = tell.send(());
        on_thread.await;
        Err::<(), _>(Failure::new("stopped"))
    });
    full.waits(&task.clone().untyped());
    task.cancel().unwrap();
    full.runtime.block_on(queued).unwrap();
    assert_eq!((task.status(), in_handler.kept()), (TaskStatus::Cancelling, 1));
    drop(full.release);
    assert!(matches!(full.runtime.block_on(task.outcome()), Outcome::Cancelled { .. }));
    assert!(in_handler.ran() && fate.ran(), "so does that of its clean-up");
}

#[test]
fn a_handler_that_blocks_on_such_work_does_not_hang() {
    let runtime = Builder::new_multi_thread().worker_threads(2).max_blocking_threads(1).enable_all().build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        let _ = released.recv();
    });
    begins.recv().unwrap();
    let tasks = TaskManager::new(runtime.handle().clone());
    let fate = Fate::default();
    let work = fate.work();
    let (tell, told) = mpsc::channel();
    let task = tasks.spawn("blocks", async move |ctx: TaskContext| {
        let work = ctx.spawn_blocking(work);
        tell.send(()).unwrap();
        let mut work = Box::pin(work);
        loop {
            if futures_util::FutureExt::now_or_never(&mut work).is_some() {
                return Ok::<_, Failure>(());
            }
            std::thread::yield_now();
        }
    });
    told.recv().unwrap();
    task.cancel().unwrap();
    assert!(matches!(runtime.block_on(task.outcome()), Outcome::Cancelled { .. }));
    assert_eq!((fate.ran(), fate.kept()), (false, 0));
    drop(release);
    runtime.shutdown_background();
}
