//! What others learn of a handler that awaits a task: its snapshot, the changes, and the log.

use std::{thread, time::Duration};

use futures_util::{FutureExt, future::join_all};
use tokio::time::{sleep, timeout};

use super::{App, ended, in_group, ms};
use crate::{
    BatchOptions, Failure, TaskChange, TaskContext, TaskFilter, TaskId, TaskManager, TaskStatus,
    delivery::{Look, Told, engine},
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::log::Log,
};

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_which_tasks_a_handler_waits_for() {
    let app = App::of_one(async |app: App, _| {
        let [one, two] = [10, 10].map(|millis| app.sleeper(millis));
        tokio::join!(one.outcome(), two.outcome(), one.outcome());
        sleep(ms(10)).await;
        app.tasks().batch("sleep", [10_u64, 10], BatchOptions::new())?.result().await.unwrap();
        Ok(())
    });
    let parent = app.parent();
    let ids = |batches: bool| -> Vec<TaskId> {
        let tasks = app.tasks().list(&TaskFilter::default().task("sleep"));
        tasks.iter().filter(|task| task.members.is_some() == batches).map(|task| task.id).collect()
    };
    let mut watch = parent.watch();
    let record = engine(app.tasks()).find(parent.id()).unwrap();
    let mut told = None;
    let mut shown = vec![];
    for time in [5, 10, 10, 10, 10] {
        sleep(ms(time)).await;
        let snapshot = parent.snapshot();
        assert_eq!(snapshot.status, TaskStatus::Running);
        assert_eq!(app.tasks().counts()[0].running, 1, "it counts as running");
        // A list is told in the same words.
        if let Look::Snapshot(listed, now) = Told::look(told, &record, |_, _| true) {
            assert_eq!(listed.waits_for, snapshot.waits_for);
            told = Some(now);
        } else {
            assert_eq!(shown.last(), Some(&snapshot.waits_for));
        }
        shown.push(snapshot.waits_for);
    }
    ended(&parent).await;
    let (children, batch) = (ids(false)[..2].to_vec(), ids(true));
    assert_eq!(shown, [children.clone(), vec![children[1]], vec![], batch.clone(), batch.clone()]);
    assert_eq!(parent.snapshot().waits_for, []);
    let mut events = vec![];
    while let Some(event) = watch.next().await {
        if let TaskChange::WaitsFor(ids) = event.change {
            events.push(ids);
        }
    }
    assert!(events.len() <= 1, "only the newest: {events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_told_what_a_handler_waits_for() {
    let app = App::of_one(async |app: App, _| {
        app.sleeper(10).outcome().await;
        sleep(ms(10)).await;
        Ok(())
    });
    let parent = app.parent();
    let mut watch = parent.watch();
    let mut events = vec![];
    while let Some(event) = watch.next().await {
        match event.change {
            TaskChange::WaitsFor(ids) => events.push(format!("waits for {}", ids.len())),
            TaskChange::Status(change) => events.push(change.status.name().to_owned()),
            _ => {}
        }
    }
    assert_eq!(events, ["running", "waits for 1", "waits for 0", "completed"]);
}

// The log.

/// Starts a task "sleep" in a handler, which waits elsewhere as `waits` says, in the limit that `kind` and `settings`
/// give. Returns the lines of the log after `seconds`.
async fn logged<Fut>(
    policy: Policy,
    settings: Settings,
    seconds: u64,
    waits: impl Fn(TaskManager, TaskContext) -> Fut + Send + Sync + 'static,
) -> Vec<String>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let log = Log::capture();
    let app = App::new();
    let here = app.clone();
    let kinds = [
        Kind::new("sleep", policy.clone(), Errors::default(), async |_: TaskContext, millis: u64| {
            sleep(ms(millis)).await;
            Ok::<_, Failure>(())
        }),
        Kind::new("parent", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
            let waits = waits(here.tasks().clone(), ctx);
            async move {
                waits.await;
                Ok::<_, Failure>(())
            }
        }),
    ];
    app.run(kinds, settings);
    let parent = app.parent();
    sleep(Duration::from_secs(seconds)).await;
    let _ = parent.cancel();
    sleep(Duration::from_secs(10)).await;
    log.text().lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
}

fn group() -> Settings {
    Settings { groups: vec![("disk".into(), 1)], ..Settings::default() }
}

fn of_app() -> Settings {
    Settings { concurrency: Some(1), ..Settings::default() }
}

fn names(line: &str, limit: &str) {
    for part in ["parent", "sleep", "awaited_id=", "queued=", limit] {
        assert!(line.contains(part), "no {part}: {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_in_a_tokio_task_is_told_with_the_limit_that_it_fills() {
    async fn waits(tasks: TaskManager, _: TaskContext) {
        let child = tasks.start("sleep", 10).unwrap();
        tokio::spawn(async move { child.outcome().await }).await.unwrap();
    }
    for seconds in [9, 11, 100] {
        let lines = logged(in_group(), group(), seconds, waits).await;
        assert_eq!(lines.len(), usize::from(seconds > 10), "{lines:?}");
        for line in &lines {
            names(line, "the group \"disk\" (1)");
        }
    }
    let lines = logged(Policy::default(), of_app(), 11, waits).await;
    names(&lines[0], "Builder::concurrency(1)");
}

/// Then it can't be known who has started the task.
#[tokio::test(start_paused = true)]
async fn a_task_that_is_started_and_awaited_in_a_tokio_task_is_told() {
    async fn waits(tasks: TaskManager, _: TaskContext) {
        let outside = async move { tasks.start("sleep", 10).unwrap().outcome().await };
        tokio::spawn(outside).await.unwrap();
    }
    for seconds in [9, 11, 100] {
        let lines = logged(in_group(), group(), seconds, waits).await;
        assert_eq!(lines.len(), usize::from(seconds > 10), "{lines:?}");
        for line in &lines {
            names(line, "the group \"disk\" (1)");
        }
    }
    let batch = async |tasks: TaskManager, _: TaskContext| {
        let outside =
            async move { tasks.batch("sleep", [10; 3], BatchOptions::new()).unwrap().result().await.map(drop) };
        let _ = tokio::spawn(outside).await;
    };
    let lines = logged(Policy::default(), of_app(), 11, batch).await;
    names(&lines[0], "Builder::concurrency(1)");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_a_limit_of_zero_is_not_told() {
    let log = Log::capture();
    let app = App::of_one(async |_, _| Ok(()));
    app.tasks().set_limit(crate::LimitOf::Group("disk".into()), 0).unwrap();
    assert!(timeout(Duration::from_secs(100), app.parent().outcome()).await.is_err());
    assert_eq!(log.count("WARN"), 0, "{log:?}");
}

/// Whoever awaits it, those before it are at work.
#[tokio::test(start_paused = true)]
async fn a_task_that_waits_behind_others_at_work_is_not_told() {
    async fn sleeps(_: TaskManager, ctx: TaskContext) {
        for _ in 0..20 {
            sleep(Duration::from_secs(5)).await;
            ctx.progress().inc(1);
        }
    }
    let log = Log::capture();
    let app = App::with(in_group(), async |app: App, ctx: TaskContext| {
        sleeps(app.tasks().clone(), ctx).await;
        Ok(())
    });
    app.parent();
    ended(&app.sleeper(10)).await;
    assert_eq!(app.begin.elapsed(), ms(100_010));
    assert_eq!(log.count("WARN"), 0, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn waits_for_items_members_and_changes_are_told_as_well() {
    let lines = logged(in_group(), group(), 11, async |tasks: TaskManager, _| {
        let [one, two] = [(); 2].map(|()| tasks.start("sleep", 10).unwrap());
        let batch = tasks.batch("sleep", [10, 10], BatchOptions::new()).unwrap();
        let member = batch.members().remove(0);
        let (mut items, mut watch) = (one.items(), two.watch());
        let waits = [
            tokio::spawn(async move { drop(items.next().await) }),
            tokio::spawn(async move { while watch.next().await.is_some() {} }),
            tokio::spawn(async move { drop(batch.result().await) }),
            tokio::spawn(async move { drop(member.outcome().await) }),
        ];
        join_all(waits).await;
    })
    .await;
    assert_eq!(lines.len(), 4, "one each: {lines:?}");
    for line in &lines {
        names(line, "the group \"disk\" (1)");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_task_that_others_have_started_is_told() {
    let kind = Policy { concurrency: Some(1), ..Policy::default() };
    let log = Log::capture();
    let app = App::new();
    let here = app.clone();
    let parent = Kind::new("parent", kind, Errors::default(), move |_: TaskContext, other: Option<TaskId>| {
        let app = here.clone();
        async move {
            if let Some(other) = other {
                app.tasks().handle(other).unwrap().outcome().await;
            }
            Ok::<_, Failure>(())
        }
    });
    app.run([parent], Settings::default());
    app.tasks().set_limit(crate::LimitOf::Task("parent".into()), 0).unwrap();
    let first = app.tasks().start_with("parent", None::<TaskId>, crate::StartOptions::new().held()).unwrap();
    let second = app.tasks().start("parent", Some(first.id())).unwrap();
    app.tasks().set_limit(crate::LimitOf::Task("parent".into()), 1).unwrap();
    sleep(ms(1)).await;
    first.resume().unwrap();
    sleep(Duration::from_secs(11)).await;
    assert_eq!(second.status(), TaskStatus::Running);
    assert_eq!(log.count("did not start it"), 1, "{log:?}");
    assert_eq!(log.count("the kind \"parent\", Task::concurrency(1)"), 1, "{log:?}");
    second.cancel().unwrap();
    ended(&first).await;
}

/// The handler doesn't wait, or doesn't wait for the slot that it holds.
#[tokio::test(start_paused = true)]
async fn other_waits_are_not_told() {
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, _| {
        let child = tasks.start("sleep", 50_000).unwrap();
        child.outcome().await;
    })
    .await;
    assert!(lines.is_empty(), "it lends its slot: {lines:?}");
    let lines = logged(Policy::default(), group(), 100, async |tasks: TaskManager, _| {
        let child = tasks.start("sleep", 50_000).unwrap();
        tokio::spawn(async move { child.outcome().await }).await.unwrap();
    })
    .await;
    assert!(lines.is_empty(), "the child runs: {lines:?}");
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, _| {
        let child = tasks.start_with("sleep", 10, crate::StartOptions::new().held()).unwrap();
        tokio::spawn(async move { child.outcome().await }).await.unwrap();
    })
    .await;
    assert!(lines.is_empty(), "the child is held: {lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_its_slot_behind_its_own_child_is_told() {
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, _| {
        let child = tasks.start("sleep", 1_000_000).unwrap();
        let _ = timeout(ms(10), child.outcome()).await;
        sleep(ms(10)).await;
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("the group \"disk\" (1)") && lines[0].contains("its own slot"), "{lines:?}");
}

/// The wait begins on a thread. Paused time can't wait for one, so nobody polls it again.
#[tokio::test(start_paused = true)]
async fn a_wait_on_a_thread_is_told() {
    let lines = logged(in_group(), group(), 11, async |tasks: TaskManager, ctx: TaskContext| {
        let child = tasks.start("sleep", 10).unwrap();
        let mut wait = Box::pin(async move { child.outcome().await });
        let on_thread = move || {
            assert!((&mut wait).now_or_never().is_none());
            wait
        };
        let _wait = thread::spawn(on_thread).join().unwrap();
        ctx.cancelled().await;
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
}
