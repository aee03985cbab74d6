//! A handler is stopped in time, wherever its slots are.

use std::{future::pending, time::Duration};

use tokio::time::{sleep, timeout};

use super::{App, ended, in_group, ms};
use crate::{
    CancelReason, Failure, OnExit, Outcome, TaskContext, TaskFilter, TaskHandle, TaskStatus, delivery::engine,
    policy::Policy,
};

/// Checks that the group has its slot, and no more than that.
async fn one_slot_is_free(app: &App) {
    let before = app.told().len();
    let [one, two] = [(); 2].map(|()| app.sleeper(10));
    sleep(ms(1)).await;
    assert_eq!((one.status(), two.status()), (TaskStatus::Running, TaskStatus::Queued));
    ended(&two).await;
    assert_eq!(app.told().len(), before + 2);
    let admission = &engine(app.tasks()).transitions.common.admission;
    assert_eq!(admission.lock().len(), 0, "nothing is left");
}

fn child(app: &App) -> TaskHandle {
    let child = app.tasks().list(&TaskFilter::default().task("sleep"))[0].id;
    app.tasks().handle(child).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_has_lent_its_slot_is_cancelled_at_once() {
    let app = App::of_one(async |app: App, _| {
        app.sleeper(100).outcome().await;
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(10)).await;
    parent.cancel().unwrap();
    assert!(matches!(ended(&parent).await, Outcome::Cancelled { .. }));
    assert_eq!(app.begin.elapsed(), ms(10));
    assert_eq!((parent.snapshot().waits_for, child(&app).status()), (vec![], TaskStatus::Running));
    ended(&child(&app)).await;
    one_slot_is_free(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_its_slot_is_cancelled_at_once() {
    let app = App::of_one(async |app: App, _| {
        let child = app.sleeper(100);
        let _ = timeout(ms(10), child.outcome()).await;
        pending().await
    });
    let parent = app.parent();
    sleep(ms(20)).await;
    parent.cancel().unwrap();
    assert!(matches!(ended(&parent).await, Outcome::Cancelled { .. }));
    assert_eq!(app.begin.elapsed(), ms(20));
    ended(&child(&app)).await;
    one_slot_is_free(&app).await;
}

/// Otherwise it could not stop by itself within its grace period.
#[tokio::test(start_paused = true)]
async fn a_handler_that_is_told_to_stop_goes_on_without_its_slot() {
    let app = App::of_one(async |app: App, ctx: TaskContext| {
        let child = app.sleeper(60_000);
        let token = ctx.token();
        let _ = timeout(ms(10), child.outcome()).await;
        token.cancelled().await;
        sleep(ms(5)).await;
        child.cancel()?;
        child.outcome().await;
        app.tell("stopped by itself");
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(20)).await;
    parent.cancel().unwrap();
    assert!(matches!(ended(&parent).await, Outcome::Completed { .. }));
    app.has_told(&[(0, "sleep 60000"), (25, "stopped by itself")]);
    one_slot_is_free(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_returns_when_the_task_is_told_to_stop() {
    let app = App::of_one(async |app: App, ctx: TaskContext| {
        let token = ctx.token();
        let child = app.sleeper(10);
        let waits = [child.clone(), child].map(|child| async move { child.outcome().await });
        // Polls only those of its futures that were woken.
        let mut all: futures_util::stream::FuturesUnordered<_> = waits.into_iter().collect();
        while futures_util::StreamExt::next(&mut all).await.is_some() {
            app.tell("over");
        }
        token.cancelled().await;
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(1)).await;
    // More urgent, so the handler doesn't get its slot.
    app.tasks().start_with("sleep", 1_000_u64, crate::StartOptions::new().priority(1)).unwrap();
    sleep(ms(99)).await;
    parent.cancel().unwrap();
    ended(&parent).await;
    app.has_told(&[(0, "sleep 10"), (10, "sleep 1000"), (100, "over"), (100, "over")]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_stop_is_dropped_after_its_grace_period() {
    let policy = Policy { grace: ms(500), ..in_group() };
    let app = App::with(policy, async |app: App, ctx: TaskContext| {
        let _token = ctx.token();
        app.sleeper(60_000).outcome().await;
        Ok(())
    });
    let parent = app.parent();
    sleep(ms(20)).await;
    parent.cancel().unwrap();
    assert!(matches!(ended(&parent).await, Outcome::Cancelled { .. }));
    assert_eq!(app.begin.elapsed(), ms(520));
    child(&app).cancel().unwrap();
    one_slot_is_free(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_reaches_its_time_limits_while_it_waits() {
    let policy = Policy { timeout: Some(ms(50)), ..in_group() };
    let app = App::with(policy, async |app: App, _| {
        app.sleeper(100).outcome().await;
        Ok(())
    });
    assert!(matches!(ended(&app.parent()).await, Outcome::TimedOut { .. }));
    assert_eq!(app.begin.elapsed(), ms(50));
    ended(&child(&app)).await;
    one_slot_is_free(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_fail_panic_and_end_without_its_slot() {
    for how in 0..3 {
        let app = App::of_one(move |app: App, _| async move {
            let child = app.sleeper(100);
            let _ = timeout(ms(10), child.outcome()).await;
            match how {
                0 => Ok(()),
                1 => Err(Failure::new("no")),
                _ => std::panic::resume_unwind(Box::new("as told")),
            }
        });
        let parent = app.parent();
        ended(&parent).await;
        assert_eq!(app.begin.elapsed(), ms(10));
        let expected = if how == 0 { TaskStatus::Completed } else { TaskStatus::Failed };
        assert_eq!((parent.status(), parent.snapshot().waits_for), (expected, vec![]));
        ended(&child(&app)).await;
        one_slot_is_free(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_exit_ends_handlers_that_wait_for_their_children() {
    for on_exit in [OnExit::Cancel, OnExit::Finish, OnExit::Drop] {
        let app = App::with(Policy { on_exit, ..in_group() }, async |app: App, _| {
            let [one, two] = [1_000_000, 2_000_000].map(|millis| app.sleeper(millis));
            let outcomes = [one.outcome().await, two.outcome().await];
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Cancelled { .. })));
            app.tell("finishes");
            Ok(())
        });
        let parent = app.parent();
        sleep(ms(10)).await;
        let left = app.tasks().shut_down(Duration::from_secs(10)).await;
        assert!(left.is_empty(), "{left:?}");
        assert!(app.begin.elapsed() < Duration::from_secs(1), "{:?}", app.begin.elapsed());
        match on_exit {
            OnExit::Cancel => {
                assert_eq!(parent.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
            }
            _ => assert!(matches!(ended(&parent).await, Outcome::Completed { .. })),
        }
    }
}
