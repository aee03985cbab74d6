//! What the log says of tasks that wait for each other.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{App, in_group, ms};
use crate::{
    BatchOptions, Failure, TaskContext, TaskHandle, TaskId, TaskManager, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::log::Log,
};

fn warnings(log: &Log) -> Vec<String> {
    log.text().lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
}

async fn awaits(tasks: &TaskManager, id: TaskId) {
    tasks.handle(id).unwrap().outcome().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_awaits_the_one_that_awaits_it_is_told() {
    for seconds in [9, 11, 100] {
        let log = Log::capture();
        let app = App::of_one(async |app: App, ctx: TaskContext| {
            let (tasks, me) = (app.tasks().clone(), ctx.id());
            let other = async move |_: TaskContext| {
                awaits(&tasks, me).await;
                Ok::<_, Failure>(())
            };
            app.tasks().spawn("other", other).outcome().await;
            Ok(())
        });
        let parent = app.parent();
        sleep(Duration::from_secs(seconds)).await;
        assert_eq!(parent.status(), TaskStatus::Running);
        let lines = warnings(&log);
        assert_eq!(lines.len(), usize::from(seconds > 10), "{lines:?}");
        for line in &lines {
            let said = r#""other" awaits "parent", and "parent" awaits "other""#;
            assert!(line.contains(said) && line.contains(&parent.id().to_string()), "{line}");
        }
        parent.cancel().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_awaits_its_own_end_is_told_at_once() {
    for change in [false, true] {
        let log = Log::capture();
        let app = App::with(Policy::default(), move |app: App, ctx: TaskContext| async move {
            let me = app.tasks().handle(ctx.id())?;
            if change {
                let mut watch = me.watch();
                while watch.next().await.is_some() {}
            } else {
                me.outcome().await;
            }
            Ok(())
        });
        let parent = app.parent();
        sleep(ms(1)).await;
        assert_eq!(warnings(&log).len(), usize::from(!change), "a change may still come: {log:?}");
        sleep(Duration::from_secs(100)).await;
        assert_eq!((parent.status(), warnings(&log).len()), (TaskStatus::Running, 1), "{log:?}");
        assert_eq!(log.count("the task \"parent\" awaits itself"), 1, "{log:?}");
        parent.cancel().unwrap();
    }
}

/// None of them has started the one that it awaits, so none lends its slots.
#[tokio::test(start_paused = true)]
async fn a_ring_of_tasks_that_others_have_started_is_told_once() {
    const LENGTH: usize = 4;
    for works in [false, true] {
        let log = Log::capture();
        let app = App::new();
        let here = app.clone();
        let parent = Kind::new("parent", Policy::default(), Errors::default(), move |ctx: TaskContext, at: usize| {
            let app = here.clone();
            async move {
                sleep(ms(10)).await;
                let tasks = app.tasks().list(&crate::TaskFilter::default());
                let mut ids: Vec<_> = tasks.iter().map(|task| (task.order, task.id)).collect();
                ids.sort_unstable();
                let reports = async {
                    loop {
                        sleep(Duration::from_secs(1)).await;
                        ctx.progress().inc(1);
                    }
                };
                tokio::select! {
                    () = awaits(app.tasks(), ids[(at + 1) % LENGTH].1) => {}
                    () = reports, if works && at == 2 => {}
                }
                Ok::<_, Failure>(())
            }
        });
        app.run([parent], Settings::default());
        let all: Vec<_> = (0..LENGTH).map(|at| app.tasks().start("parent", at).unwrap()).collect();
        sleep(Duration::from_secs(100)).await;
        let lines = warnings(&log);
        assert_eq!(lines.len(), usize::from(!works), "one of them may still end its wait: {lines:?}");
        for (line, task) in lines.iter().flat_map(|line| all.iter().map(move |task| (line, task))) {
            assert!(line.contains(&task.id().to_string()), "{line}");
        }
        // One that ends lets all others end.
        all[0].cancel().unwrap();
        sleep(ms(10)).await;
        assert!(all.iter().all(|task| task.status().is_final()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_ring_with_a_task_that_emits_elsewhere_is_not_told() {
    for emits in [false, true] {
        let log = Log::capture();
        let app = App::of_one(async |_, _| Ok(()));
        let here = app.tasks().clone();
        let parent = app.tasks().spawn("emits", move |ctx: TaskContext<(), u8>| async move {
            let (tasks, me) = (here.clone(), ctx.id());
            let other = here.spawn("other", async move |_: TaskContext| {
                awaits(&tasks, me).await;
                Ok::<_, Failure>(())
            });
            tokio::spawn(async move {
                loop {
                    sleep(ms(500)).await;
                    if emits {
                        ctx.emit(7).await;
                    }
                }
            });
            other.outcome().await;
            Ok::<_, Failure>(())
        });
        sleep(Duration::from_secs(100)).await;
        assert_eq!(warnings(&log).len(), usize::from(!emits), "it may still end the wait: {log:?}");
        parent.cancel().unwrap();
    }
}

/// Each task waits for the one before it, then for the one after it. The second ring shares a task with the first, and the
/// third only with the second, of which the log says nothing.
#[tokio::test(start_paused = true)]
async fn a_ring_is_told_if_the_log_has_named_none_of_its_tasks() {
    const PHASE: Duration = Duration::from_secs(30);
    let log = Log::capture();
    let app = App::new();
    let here = app.clone();
    let parent = Kind::new("parent", Policy::default(), Errors::default(), move |_: TaskContext, at: usize| {
        let app = here.clone();
        async move {
            sleep(PHASE * u32::try_from(at.saturating_sub(1)).unwrap()).await;
            let tasks = app.tasks().list(&crate::TaskFilter::default());
            let id_of = |at: usize| tasks.iter().find(|task| task.order == at as u64 + 1).map(|task| task.id);
            for other in [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(id_of) {
                let _ = timeout(PHASE, awaits(app.tasks(), other)).await;
            }
            std::future::pending::<Result<(), Failure>>().await
        }
    });
    app.run([parent], Settings::default());
    let ids: Vec<_> = (0..4).map(|at| app.tasks().start("parent", at).unwrap().id().to_string()).collect();
    sleep(PHASE * 4).await;
    let named: Vec<Vec<bool>> =
        warnings(&log).iter().map(|line| ids.iter().map(|id| line.contains(id)).collect()).collect();
    assert_eq!(named, [[true, true, false, false], [false, false, true, true]], "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_awaits_its_batch_is_told() {
    let log = Log::capture();
    let app = App::new();
    let here = app.clone();
    let member = Kind::new("member", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let app = here.clone();
        async move {
            sleep(ms(10)).await;
            let batch = app.tasks().list(&crate::TaskFilter::default()).into_iter().find(|task| task.members.is_some());
            awaits(app.tasks(), batch.unwrap().id).await;
            Ok::<_, Failure>(())
        }
    });
    app.run([member], Settings::default());
    let batch = app.tasks().batch("member", [()], BatchOptions::new()).unwrap();
    sleep(Duration::from_secs(11)).await;
    assert_eq!(log.count("has the member \"member\""), 1, "{log:?}");
    assert_eq!(warnings(&log).len(), 1, "{log:?}");
    batch.cancel().unwrap();
}

/// The first one is awaited by all others, which wait for nothing else.
#[tokio::test(start_paused = true)]
async fn waits_that_form_no_ring_are_not_told() {
    let log = Log::capture();
    let app = App::with(Policy::default(), async |app: App, _| {
        let first: TaskHandle = app.sleeper(100_000);
        app.tasks().set_limit(crate::LimitOf::Group("disk".into()), 1).unwrap();
        let (tasks, id) = (app.tasks().clone(), first.id());
        let others = (0..3).map(|_| {
            let tasks = tasks.clone();
            app.tasks().spawn("other", async move |_: TaskContext| {
                awaits(&tasks, id).await;
                Ok::<_, Failure>(())
            })
        });
        let others: Vec<_> = others.collect();
        for other in others {
            other.outcome().await;
        }
        Ok(())
    });
    super::ended(&app.parent()).await;
    assert!(warnings(&log).is_empty(), "{log:?}");
}
