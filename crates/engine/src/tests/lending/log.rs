//! What the log says of waits that a slot keeps from ending.

use std::{sync::Arc, thread, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::{App, ended, in_group, ms};
use crate::{
    Backoff, BatchOptions, Failure, Outcome, Retry, StartOptions, TaskContext, TaskFilter, TaskHandle, TaskId,
    TaskManager, TaskStatus, Unit,
    delivery::engine,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::log::Log,
};

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
    group_of(1)
}

fn group_of(limit: usize) -> Settings {
    Settings { groups: vec![("disk".into(), limit)], ..Settings::default() }
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
    for what in ["items", "changes", "batch", "member"] {
        let lines = logged(in_group(), group(), 11, move |tasks: TaskManager, _: TaskContext| async move {
            let one = tasks.start("sleep", 10).unwrap();
            let batch = tasks.batch("sleep", [10, 10], BatchOptions::new()).unwrap();
            let member = batch.members().remove(0);
            let (mut items, mut watch) = (one.items(), one.watch());
            let wait = match what {
                "items" => tokio::spawn(async move { drop(items.next().await) }),
                "changes" => tokio::spawn(async move { while watch.next().await.is_some() {} }),
                "batch" => tokio::spawn(async move { drop(batch.result().await) }),
                _ => tokio::spawn(async move { drop(member.outcome().await) }),
            };
            wait.await.unwrap();
        })
        .await;
        assert_eq!(lines.len(), 1, "{what}: {lines:?}");
        names(&lines[0], "the group \"disk\" (1)");
    }
}

/// Starts many tasks, and awaits each in a tokio task.
async fn awaits_many(tasks: TaskManager, count: usize) {
    let waits = (0..count).map(|_| {
        let child = tasks.start("sleep", 10).unwrap();
        tokio::spawn(async move { child.outcome().await })
    });
    join_all(waits.collect::<Vec<_>>()).await;
}

#[tokio::test(start_paused = true)]
async fn many_waits_of_a_handler_are_told_in_one_line() {
    for (count, also) in [
        (2, "\"parent\" blocks another awaited task in the same way."),
        (90, "\"parent\" blocks 89 other awaited tasks in the same way."),
    ] {
        let waits = move |tasks: TaskManager, _: TaskContext| awaits_many(tasks, count);
        let lines = logged(in_group(), group(), 100, waits).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(also) && lines[0].contains("neither ever ends"), "{lines:?}");
    }
    // Now the handler's own code awaits them, and has not started them.
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, _: TaskContext| {
        let apart = tasks.clone();
        let start = async move { (0..90).map(|_| apart.start("sleep", 10).unwrap()).collect::<Vec<TaskHandle>>() };
        let children = tokio::spawn(start).await.unwrap();
        join_all(children.iter().map(TaskHandle::outcome)).await;
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["did not start it", "89 other awaited tasks", "Unless \"parent\" gives up the wait, neither ever ends"]
    {
        assert!(lines[0].contains(part), "no {part}: {lines:?}");
    }
}

/// It has a slot which the task needs that it has started, but nothing says that it awaits it.
#[tokio::test(start_paused = true)]
async fn a_handler_at_work_is_not_told_because_another_awaits_what_it_has_started() {
    for aside in [false, true] {
        let log = Log::capture();
        let app = App::of_one(move |app: App, ctx: TaskContext| async move {
            let child = app.sleeper(10);
            let mut wait = Box::pin(child.outcome());
            // It may also have begun to await it elsewhere than in its own future, and put that aside.
            if aside {
                let on_thread = thread::scope(|scope| scope.spawn(|| wait.as_mut().now_or_never()).join().unwrap());
                assert!(on_thread.is_none());
            }
            for _ in 0..30 {
                sleep(Duration::from_secs(1)).await;
                ctx.progress().inc(1);
            }
            Ok(())
        });
        app.parent();
        sleep(ms(1)).await;
        let child = app.tasks().list(&TaskFilter::default().task("sleep"))[0].id;
        ended(&app.tasks().handle(child).unwrap()).await;
        assert_eq!(log.count("WARN"), 0, "{log:?}");
    }
}

/// Its work is in a tokio task, so its own future is polled no more. Nobody looks at what it reports.
#[tokio::test(start_paused = true)]
async fn a_handler_that_reports_elsewhere_is_not_told_because_another_awaits_what_it_has_started() {
    type Context = TaskContext<String, u8>;
    type Report = (&'static str, fn(&Context));
    let reports: [Report; 9] = [
        ("nothing", |_| {}),
        ("item", |ctx| assert!(ctx.try_emit(7).now_or_never().unwrap().is_ok())),
        ("count", |ctx| _ = ctx.progress().inc(1)),
        ("same count", |ctx| _ = ctx.progress().set(7)),
        ("total", |ctx| _ = ctx.progress().total(7)),
        ("unit", |ctx| _ = ctx.progress().unit(Unit::Files)),
        ("message", |ctx| _ = ctx.progress().message("at work")),
        ("detail", |ctx| _ = ctx.progress().detail(String::new())),
        ("detail that is left out", |ctx| _ = ctx.progress().detail("long".repeat(2_000))),
    ];
    for (what, report) in reports {
        for outside in [false, true] {
            let log = Log::capture();
            let app = App::new();
            let here = app.clone();
            let parent = Kind::new("parent", in_group(), Errors::default(), move |ctx: Context, (): ()| {
                let tasks = here.tasks().clone();
                async move {
                    let start = async move { tasks.start("sleep", ()).unwrap() };
                    let _child = if outside { tokio::spawn(start).await.unwrap() } else { start.await };
                    let reports = async move {
                        for _ in 0..60 {
                            sleep(ms(500)).await;
                            report(&ctx);
                        }
                    };
                    tokio::spawn(reports).await.unwrap();
                    Ok::<_, Failure>(())
                }
            });
            let child = Kind::new("sleep", in_group(), Errors::default(), async |_: TaskContext, (): ()| {
                sleep(ms(10)).await;
                Ok::<_, Failure>(())
            });
            app.run([parent, child], group());
            app.parent();
            sleep(ms(1)).await;
            let child = app.tasks().list(&TaskFilter::default().task("sleep"))[0].id;
            ended(&app.tasks().handle(child).unwrap()).await;
            let lines = log.count("has done nothing in that time");
            assert_eq!(lines, usize::from(what == "nothing"), "{what}: {log:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_a_handler_has_put_aside_is_told_only_if_the_handler_does_nothing() {
    for works in [true, false] {
        let lines = logged(in_group(), group(), 100, move |tasks: TaskManager, ctx: TaskContext| async move {
            // Another task has started it, so the handler keeps its slot.
            let child = tokio::spawn(async move { tasks.start("sleep", 10).unwrap() }).await.unwrap();
            let mut wait = Box::pin(child.outcome());
            assert!((&mut wait).now_or_never().is_none());
            for _ in 0..90 {
                sleep(Duration::from_secs(if works { 1 } else { 90 })).await;
                ctx.progress().inc(1);
            }
        })
        .await;
        assert_eq!(lines.len(), usize::from(!works), "{lines:?}");
    }
}

/// The next attempt has the slot, and awaits nothing.
#[tokio::test(start_paused = true)]
async fn a_wait_that_an_attempt_has_left_behind_is_not_told() {
    let log = Log::capture();
    let retry = Retry::attempts(2).backoff(Backoff::exponential().first_delay(ms(1)));
    let left = Arc::<Mutex<Vec<BoxFuture<'static, Outcome>>>>::default();
    let app = App::with(Policy { retry: Some(retry), ..in_group() }, move |app: App, ctx: TaskContext| {
        let left = Arc::clone(&left);
        async move {
            if ctx.attempt() == 1 {
                let options = StartOptions::new().held();
                let start = async move { app.tasks().start_with("sleep", 10, options).unwrap() };
                let child = tokio::spawn(start).await.unwrap();
                let mut wait = async move { child.outcome().await }.boxed();
                assert!((&mut wait).now_or_never().is_none());
                left.lock().push(wait);
                return Err(Failure::new("once more"));
            }
            let child = app.tasks().list(&TaskFilter::default().task("sleep"))[0].id;
            app.tasks().handle(child)?.resume()?;
            for _ in 0..30 {
                sleep(Duration::from_secs(1)).await;
                ctx.progress().inc(1);
            }
            Ok(())
        }
    });
    let parent = app.parent();
    ended(&parent).await;
    assert_eq!(parent.snapshot().attempt, 2);
    assert_eq!(log.count("WARN"), 0, "{log:?}");
}

/// A handler that wakes up all the time may still wait for nothing but the other task.
#[tokio::test(start_paused = true)]
async fn a_handler_that_awaits_a_task_and_reports_meanwhile_is_told() {
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, ctx: TaskContext| {
        let child = tokio::spawn(async move { tasks.start("sleep", 10).unwrap() }).await.unwrap();
        let reports = async {
            loop {
                sleep(Duration::from_secs(1)).await;
                ctx.progress().inc(1);
            }
        };
        tokio::select! {
            _ = child.outcome() => {}
            () = reports => {}
        }
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// The other slots are those of tasks that will end.
#[tokio::test(start_paused = true)]
async fn a_wait_that_others_may_end_is_not_told_as_endless() {
    let log = Log::capture();
    let app = app_of_group(3, async |app: App, _| {
        sleep(ms(500)).await;
        let children = (0..6).map(|n| app.sleeper(if n == 0 { 15_000 } else { 25_000 }));
        let waits = children.map(|child| tokio::spawn(async move { child.outcome().await }));
        join_all(waits.collect::<Vec<_>>()).await;
        Ok(())
    });
    ended(&app.parent()).await;
    assert_eq!(app.begin.elapsed(), ms(75_500));
    assert_eq!(log.count("WARN"), 1, "{log:?}");
    assert_eq!(log.count("neither ever ends"), 0, "{log:?}");
    assert_eq!(log.count("can run when one of the 2 other tasks there has ended"), 1, "{log:?}");
}

/// Both handlers await a task that others have started.
#[tokio::test(start_paused = true)]
async fn waits_that_fill_a_larger_limit_together_are_told_as_endless() {
    let log = Log::capture();
    let app = app_of_group(2, async |app: App, _| {
        let apart = app.clone();
        let child = tokio::spawn(async move {
            sleep(ms(10)).await;
            apart.sleeper(10)
        });
        child.await.unwrap().outcome().await;
        Ok(())
    });
    let [one, two] = [(); 2].map(|()| app.parent());
    sleep(Duration::from_secs(11)).await;
    assert_eq!(log.count("WARN"), 2, "one for each handler: {log:?}");
    assert_eq!(
        log.count("The other task there waits, too. Unless one of them gives up its wait, none of them ever ends"),
        2,
        "{log:?}"
    );
    one.cancel().unwrap();
    ended(&two).await;
    assert_eq!(log.count("WARN"), 2, "{log:?}");
}

/// Makes an app in which "parent" and "sleep" share a limit.
fn app_of_group<Fut>(limit: usize, handler: impl Fn(App, TaskContext) -> Fut + Send + Sync + 'static) -> App
where
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let app = App::with(in_group(), handler);
    app.tasks().set_limit(crate::LimitOf::Group("disk".into()), limit).unwrap();
    app
}

#[tokio::test(start_paused = true)]
async fn the_lowest_of_several_full_limits_is_told() {
    let settings = Settings { concurrency: Some(2), ..group() };
    let log = Log::capture();
    let app = App::new();
    let here = app.clone();
    let sleeps = async |_: TaskContext, ()| {
        sleep(Duration::from_secs(3_600)).await;
        Ok::<_, Failure>(())
    };
    let parent = move |_: TaskContext, ()| {
        let child = here.tasks().start("child", ()).unwrap();
        async move {
            tokio::spawn(async move { child.outcome().await }).await.unwrap();
            Ok::<_, Failure>(())
        }
    };
    let kinds = [
        Kind::new("other", Policy::default(), Errors::default(), sleeps),
        Kind::new("child", in_group(), Errors::default(), sleeps),
        Kind::new("parent", in_group(), Errors::default(), parent),
    ];
    app.run(kinds, settings);
    app.tasks().start("other", ()).unwrap();
    app.parent();
    sleep(Duration::from_secs(11)).await;
    assert_eq!(log.count("the group \"disk\" (1)"), 1, "{log:?}");
    assert_eq!(log.count("neither ever ends"), 1, "{log:?}");
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
    for part in ["the group \"disk\" (1)", "its own slot", "held by the task \"sleep\" ("] {
        assert!(lines[0].contains(part), "no {part}: {lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_its_slot_behind_several_is_told_of_all() {
    let log = Log::capture();
    let app = app_of_group(2, async |app: App, _| {
        let child = app.sleeper(100_000);
        app.sleeper(20_000);
        let _ = timeout(ms(10), child.outcome()).await;
        sleep(ms(10)).await;
        Ok(())
    });
    ended(&app.parent()).await;
    assert_eq!(app.begin.elapsed(), ms(20_000));
    let ids: Vec<_> = app.tasks().list(&TaskFilter::default().task("sleep")).iter().map(|task| task.id).collect();
    let text = log.text();
    assert_eq!(log.count("WARN"), 1, "{text}");
    let [one, two] = [format!("\"sleep\" ({})", ids[0]), format!("\"sleep\" ({})", ids[1])];
    let orders = [format!("{one} and {two}"), format!("{two} and {one}")];
    let is_told = |names: &String| text.contains(&format!("{names}. It can't go on before one of these has given up"));
    assert!(orders.iter().any(is_told), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_told_once_that_it_waits_for_its_own_slot() {
    let lines = logged(in_group(), group(), 100, async |tasks: TaskManager, _| {
        for _ in 0..3 {
            let child = tasks.start("sleep", 20_000).unwrap();
            let _ = timeout(ms(10), child.outcome()).await;
            sleep(ms(10)).await;
        }
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// The wait begins on a thread. Paused time can't wait for one, so nobody polls it again.
#[tokio::test(start_paused = true)]
async fn a_wait_on_a_thread_is_told() {
    for is_own in [false, true] {
        let lines = logged(in_group(), group(), 11, move |tasks: TaskManager, ctx: TaskContext| async move {
            let child = tasks.start("sleep", 10).unwrap();
            let mut wait = Box::pin(async move { child.outcome().await });
            let on_thread = move || {
                assert!((&mut wait).now_or_never().is_none());
                wait
            };
            let _wait = if is_own {
                ctx.spawn_blocking(move |_| on_thread()).await
            } else {
                thread::spawn(on_thread).join().unwrap()
            };
            ctx.cancelled().await;
        })
        .await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        let fact = if is_own { "code of the task \"parent\" has awaited" } else { "which has started it, has a slot" };
        assert!(lines[0].contains(fact), "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_keep_the_task_that_has_started_the_awaited_one() {
    let app = App::of_one(async |_, _| Ok(()));
    let tasks = app.tasks().clone();
    let starter = app.tasks().spawn("starter", async move |_: TaskContext| {
        tasks.spawn("child", |_: TaskContext| std::future::pending::<Result<(), Failure>>());
        Ok::<_, Failure>("x".repeat(1_000))
    });
    starter.outcome().await;
    let child = app.tasks().list(&TaskFilter::default().task("child"))[0].id;
    let child = app.tasks().handle(child).unwrap();
    let wait = tokio::spawn(async move { child.outcome().await });
    sleep(ms(1)).await;
    let record = Arc::downgrade(&engine(app.tasks()).find(starter.id()).unwrap());
    app.tasks().remove(starter.id()).unwrap();
    drop(starter);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(record.strong_count(), 0);
    assert!(!wait.is_finished());
}
