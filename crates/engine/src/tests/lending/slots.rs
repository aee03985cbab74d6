//! A handler goes on only with its slot, in its old place, and lends it only while it awaits a task that it has started.

use std::{future::ready, pin::pin, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, interval, sleep, timeout};

use super::{App, ended, in_group, ms, some_work};
use crate::{
    Backoff, BatchOptions, Failure, LimitOf, OnConflict, Outcome, Retry, StartOptions, TaskContext, TaskHandle,
    TaskKey, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

#[tokio::test(start_paused = true)]
async fn a_handler_gets_its_slot_back_before_later_tasks() {
    for how in 0..3 {
        let app = App::of_one(move |app: App, _| async move {
            match how {
                0 => drop(app.sleeper(10).outcome().await),
                1 => drop(app.tasks().batch("sleep", [10_u64], BatchOptions::new())?.result().await),
                _ => assert!(app.sleeper(10).items().next().await.is_none()),
            }
            app.tell("goes on");
            sleep(ms(1)).await;
            Ok(())
        });
        let parent = app.parent();
        sleep(ms(5)).await;
        let later = app.sleeper(20);
        ended(&parent).await;
        ended(&later).await;
        app.has_told(&[(0, "sleep 10"), (10, "goes on"), (11, "sleep 20")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_its_slot_back_before_later_tasks_and_after_more_urgent_ones() {
    let app = App::of_one(async |app: App, _| {
        let child = app.sleeper(10);
        child.outcome().await;
        app.tell("goes on");
        sleep(ms(1)).await;
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(5)).await;
    let urgent = app.tasks().start_with("sleep", 20_u64, StartOptions::new().priority(1)).unwrap();
    app.sleeper(30);
    let last = app.sleeper(40);
    ended(&parent).await;
    assert_eq!(urgent.status(), TaskStatus::Completed);
    ended(&last).await;
    app.has_told(&[(0, "sleep 10"), (10, "sleep 20"), (30, "goes on"), (31, "sleep 30"), (61, "sleep 40")]);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_waited_before_the_child_run_before_it() {
    let app = App::of_one(async |app: App, _| {
        sleep(ms(1)).await;
        app.sleeper(10).outcome().await;
        app.tell("goes on");
        Ok(())
    });
    let parent = app.parent();
    app.sleeper(20);
    ended(&parent).await;
    app.has_told(&[(1, "sleep 20"), (21, "sleep 10"), (31, "goes on")]);
}

/// The deadline of a wait counts as usual: at that moment the handler may cancel the child, and only its next `.await`
/// waits for the slot.
#[tokio::test(start_paused = true)]
async fn a_handler_that_gives_up_a_wait_goes_on_with_its_slot() {
    let app = App::of_one(async |app: App, _| {
        let child = app.sleeper(100);
        assert!(timeout(ms(30), child.outcome()).await.is_err());
        app.tell("gives up");
        sleep(ms(1)).await;
        app.tell("goes on");
        some_work(&app).await;
        Ok(())
    });
    ended(&app.parent()).await;
    app.has_told(&[(0, "sleep 100"), (30, "gives up"), (100, "goes on")]);
    assert_eq!(app.most(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_cancel_a_child_that_takes_too_long() {
    let app = App::of_one(async |app: App, _| {
        let child = app.sleeper(1_000_000_000);
        if timeout(ms(30), child.outcome()).await.is_err() {
            child.cancel()?;
            assert!(matches!(child.outcome().await, Outcome::Cancelled { .. }));
        }
        some_work(&app).await;
        Ok(())
    });
    ended(&app.parent()).await;
    assert_eq!(app.begin.elapsed(), ms(40));
    assert_eq!(app.most(), 1);
}

/// A child that waits in its queue ends as soon as it is cancelled, so the wait for its end takes no time.
#[tokio::test(start_paused = true)]
async fn a_handler_that_cancels_a_queued_child_gets_its_slot_back_as_well() {
    let app = App::of_one(async |app: App, _| {
        let child = app.tasks().start_with("sleep", 10_u64, StartOptions::new().held())?;
        assert!(timeout(ms(30), child.outcome()).await.is_err());
        child.cancel()?;
        child.outcome().await;
        some_work(&app).await;
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(1)).await;
    app.sleeper(100);
    ended(&parent).await;
    assert_eq!((app.begin.elapsed(), app.most()), (ms(111), 1));
}

/// The wait goes on to exist while the other branch runs, but nobody awaits it.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_put_aside_lends_nothing() {
    for pinned in [true, false] {
        let app = App::of_one(move |app: App, _| async move {
            let child = app.sleeper(100);
            let mut end = pin!(child.outcome());
            let mut ticks = interval(ms(30));
            ticks.tick().await;
            loop {
                let ends = async { if pinned { end.as_mut().await } else { child.outcome().await } };
                tokio::select! {
                    biased;
                    _ = ends => break,
                    _ = ticks.tick() => {
                        app.tell("tick");
                        sleep(ms(1)).await;
                        some_work(&app).await;
                        app.tell("worked");
                    }
                }
            }
            app.tell("end");
            Ok(())
        });
        let parent = app.parent();
        sleep(ms(50)).await;
        assert_eq!(parent.snapshot().waits_for.len(), 1, "it still has to take its slot back");
        ended(&parent).await;
        app.has_told(&[(0, "sleep 100"), (30, "tick"), (110, "worked"), (110, "end")]);
        assert_eq!(app.most(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_wait_lends_nothing() {
    let app = App::of_one(async |app: App, _| {
        let child = app.sleeper(10);
        assert!(child.outcome().now_or_never().is_none());
        tokio::select! {
            biased;
            _ = child.outcome() => unreachable!(),
            () = ready(()) => {}
        }
        sleep(ms(20)).await;
        assert_eq!(child.status(), TaskStatus::Queued);
        child.cancel()?;
        child.outcome().await;
        app.tell("ended before");
        Ok(())
    });
    app.parent();
    let other = app.sleeper(5);
    ended(&other).await;
    app.has_told(&[(20, "ended before"), (20, "sleep 5")]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_others_have_started_lends_nothing_unless_it_is_joined() {
    for joins in [true, false] {
        let app = App::of_one(move |app: App, _| async move {
            let sleeping = TaskKey::<u64, (), Failure>::new("sleep");
            let child = if joins {
                let options = StartOptions::new().key("one", OnConflict::Join);
                app.tasks().start_with(sleeping, 10, options)?
            } else {
                let tasks = app.tasks().list(&crate::TaskFilter::default().task("sleep"));
                app.tasks().attach(sleeping, tasks[0].id)?
            };
            Ok(child.result().await?)
        });
        let parent = app.parent();
        let child = app.tasks().start_with("sleep", 10_u64, StartOptions::new().key("one", OnConflict::Join)).unwrap();
        sleep(ms(1_000)).await;
        let expected = if joins { TaskStatus::Completed } else { TaskStatus::Queued };
        assert_eq!(child.status(), expected);
        parent.cancel().unwrap_or_default();
        ended(&child).await;
    }
}

/// A handle may be found again, by the id and in a later attempt.
#[tokio::test(start_paused = true)]
async fn it_matters_who_has_started_a_task_and_not_where_its_handle_is_from() {
    let policy =
        Policy { retry: Some(Retry::attempts(2).backoff(Backoff::constant(ms(1)).jitter(false))), ..in_group() };
    let app = App::with(policy, async |app: App, ctx: TaskContext| {
        if ctx.attempt() == 1 {
            app.sleeper(10);
            return Err(Failure::new("again"));
        }
        let child = app.tasks().list(&crate::TaskFilter::default().task("sleep"))[0].id;
        sleep(ms(1)).await;
        let on_thread = app.clone();
        let other = ctx.spawn_blocking(move |_| on_thread.sleeper(20)).await;
        app.tasks().handle(child)?.outcome().await;
        other.outcome().await;
        app.tell("goes on");
        Ok(())
    });
    // Keeps the child in the queue until the second attempt.
    app.tasks().set_limit(LimitOf::Task("sleep".into()), 0).unwrap();
    let parent = app.parent();
    sleep(ms(5)).await;
    app.tasks().set_limit(LimitOf::Task("sleep".into()), None).unwrap();
    ended(&parent).await;
    app.has_told(&[(5, "sleep 10"), (15, "sleep 20"), (35, "goes on")]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_meanwhile_holds_for_the_way_back() {
    let app = App::of_one(async |app: App, _| {
        app.sleeper(10).outcome().await;
        app.tell("goes on");
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(5)).await;
    app.tasks().set_limit(LimitOf::Group("disk".into()), 0).unwrap();
    sleep(ms(95)).await;
    assert_eq!((parent.status(), parent.snapshot().waits_for.len()), (TaskStatus::Running, 1));
    app.tasks().set_limit(LimitOf::Group("disk".into()), 1).unwrap();
    ended(&parent).await;
    app.has_told(&[(0, "sleep 10"), (100, "goes on")]);
}

#[tokio::test(start_paused = true)]
async fn a_child_may_fail_be_tried_again_be_cancelled_and_be_held() {
    let app = App::new();
    let here = app.clone();
    let policy =
        Policy { retry: Some(Retry::attempts(3).backoff(Backoff::constant(ms(5)).jitter(false))), ..in_group() };
    let flaky = Kind::new("flaky", policy, Errors::default(), async |ctx: TaskContext, fails: u32| {
        sleep(ms(10)).await;
        if ctx.attempt() <= fails { Err(Failure::new("flaky")) } else { Ok(()) }
    });
    let parent = Kind::new("parent", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let app = here.clone();
        async move {
            let tasks = app.tasks();
            for fails in [0, 1, 3] {
                let outcome = tasks.start("flaky", fails).unwrap().outcome().await;
                app.tell(if matches!(outcome, Outcome::Failed(_)) { "failed" } else { "completed" });
            }
            let held = tasks.start_with("flaky", 0, StartOptions::new().held())?;
            app.tell(if matches!(held.outcome().await, Outcome::Cancelled { .. }) { "cancelled" } else { "?" });
            let held = tasks.start_with("flaky", 0, StartOptions::new().held())?;
            held.outcome().await;
            app.tell("resumed");
            Ok::<_, Failure>(())
        }
    });
    app.run([flaky, parent], Settings { groups: vec![("disk".into(), 1)], ..Settings::default() });
    let parent = app.parent();
    for time in [500, 500] {
        sleep(ms(time)).await;
        let waits_for = parent.snapshot().waits_for;
        let held = app.tasks().handle(waits_for[0]).unwrap();
        assert!(held.snapshot().queue.unwrap().held);
        if app.begin.elapsed() < ms(600) { held.cancel() } else { held.resume() }.unwrap();
    }
    ended(&parent).await;
    app.has_told(&[(10, "completed"), (35, "completed"), (75, "failed"), (500, "cancelled"), (1_010, "resumed")]);
}

#[tokio::test(start_paused = true)]
async fn awaiting_a_child_is_no_stall() {
    let policy = Policy { stall_timeout: Some(Duration::from_secs(1)), ..in_group() };
    let app = App::with(policy, async |app: App, _| {
        app.sleeper(60_000).outcome().await;
        std::future::pending().await
    });
    let outcome = ended(&app.parent()).await;
    assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
    let elapsed = app.begin.elapsed();
    assert!(elapsed > Duration::from_secs(60) && elapsed < Duration::from_secs(62), "{elapsed:?}");
}

/// A task that emits lets a reader that waits for its slot go first, and so doesn't wait for it forever.
#[tokio::test(start_paused = true)]
async fn items_of_an_endless_task_are_read_one_by_one_in_one_slot() {
    let app = App::new();
    let (here, there) = (app.clone(), app.clone());
    let endless = Kind::new("endless", in_group(), Errors::default(), move |ctx: TaskContext<(), u32>, (): ()| {
        let app = there.clone();
        async move {
            for number in 0.. {
                some_work(&app).await;
                ctx.emit(number).await;
            }
            Ok::<_, Failure>(())
        }
    });
    let parent = Kind::new("parent", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let app = here.clone();
        async move {
            let child: TaskHandle<(), Failure, (), u32> =
                app.tasks().start(TaskKey::<(), (), Failure, (), u32>::new("endless"), ())?;
            let mut items = child.items();
            for _ in 0..5 {
                let number = items.next().await.unwrap()?;
                some_work(&app).await;
                app.tell(format!("read {number}"));
            }
            child.cancel()?;
            child.outcome().await;
            Ok::<_, Failure>(())
        }
    });
    app.run([endless, parent], Settings { groups: vec![("disk".into(), 1)], ..Settings::default() });
    let begin = Instant::now();
    let outcome = ended(&app.parent()).await;
    assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
    assert!(begin.elapsed() < ms(200), "{:?}", begin.elapsed());
    assert_eq!((app.told().len(), app.most()), (5, 1));
}

/// The reader has a slot of its own, or is about to get one, so the task keeps its slot.
#[tokio::test(start_paused = true)]
async fn a_task_that_emits_keeps_its_slot_if_its_reader_needs_none_of_it() {
    let app = App::new();
    let here = app.clone();
    let source = Policy { concurrency: Some(1), ..Policy::default() };
    let source = Kind::new("source", source, Errors::default(), async |ctx: TaskContext<(), u32>, count: u32| {
        for number in 0..count {
            ctx.emit(number).await;
            sleep(ms(1)).await;
        }
        Ok::<_, Failure>(())
    });
    let parent = Kind::new("parent", in_group(), Errors::default(), move |_: TaskContext, (): ()| {
        let app = here.clone();
        async move {
            let child = app.tasks().start(TaskKey::<u32, (), Failure, (), u32>::new("source"), 20)?;
            let mut items = child.items();
            while items.next().await.is_some() {}
            Ok::<_, Failure>(())
        }
    });
    app.run([source, parent], Settings { groups: vec![("disk".into(), 1)], ..Settings::default() });
    let parent = app.parent();
    sleep(ms(1)).await;
    let other = app.tasks().start("source", 10).unwrap();
    sleep(ms(18)).await;
    assert_eq!(other.status(), TaskStatus::Queued, "the child has kept its slot");
    ended(&parent).await;
    assert_eq!(app.begin.elapsed(), ms(20));
}

#[tokio::test(start_paused = true)]
async fn many_children_are_awaited_together() {
    let app = App::of_one(async |app: App, _| {
        let batch: Vec<_> = (0..300).map(|_| app.sleeper(1)).collect();
        futures_util::future::join_all(batch.iter().map(TaskHandle::outcome)).await;
        app.tell("all");
        Ok(())
    });
    ended(&app.parent()).await;
    assert_eq!(app.told().last().unwrap(), &(300, "all".to_owned()));
}

/// `FuturesUnordered` polls only those of its futures that were woken, and a look wakes only some of many.
#[tokio::test(start_paused = true)]
async fn any_part_of_many_waits_lends_the_slot() {
    for awaited in 0..5 {
        let app = App::of_one(move |app: App, _| async move {
            let end = |child: TaskHandle| async move { child.outcome().await };
            let part = |count| (0..count).map(|_| end(app.sleeper(1))).collect::<FuturesUnordered<_>>();
            let mut parts = [40, 100, 10, 300, 40].map(part);
            for part in &mut parts {
                assert!(part.next().now_or_never().is_none());
            }
            // All of them are put aside, so they don't lend the slot.
            some_work(&app).await;
            parts[awaited].next().await;
            some_work(&app).await;
            Ok(())
        });
        ended(&app.parent()).await;
        assert_eq!(app.most(), 1);
    }
}
