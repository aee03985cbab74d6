//! What happens on several threads at once, step by step.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::sleep};

use super::{App, ended, in_group, ms};
use crate::{
    Backoff, BatchOptions, CancelReason, Failure, LimitOf, Outcome, Retry, TaskFilter, policy::Policy,
    run::transitions::Turns, task::life::Stop,
};

/// The attempt that lent the slots may end after they were given back and before it is told, and the next attempt lend
/// them again.
#[tokio::test(start_paused = true)]
async fn an_attempt_does_not_get_the_slots_that_the_one_before_wanted_back() {
    let retry = Retry::attempts(2).backoff(Backoff::constant(Duration::ZERO).jitter(false));
    let fails = Arc::new(Notify::new());
    let failing = Arc::clone(&fails);
    let app = App::with(Policy { retry: Some(retry), ..in_group() }, move |app: App, _| {
        let fails = Arc::clone(&failing);
        async move {
            let child = app.sleeper(10);
            tokio::select! {
                _ = child.outcome() => Ok(()),
                () = fails.notified() => Err(Failure::new("again")),
            }
        }
    });
    app.tasks().set_limit(LimitOf::Task("sleep".into()), 0).unwrap();
    let parent = app.parent();
    sleep(ms(1)).await;
    let transitions = &app.tasks().engine.transitions;
    let admit = || {
        let registry = transitions.registry.lock();
        let mut admission = transitions.common.admission.lock();
        admission.reclaim_slot(parent.id());
        Turns::of(&admission.admit(), &registry)
    };
    let late = admit();
    fails.notify_one();
    sleep(ms(1)).await;
    let has_lent = || {
        let snapshot = parent.snapshot();
        let is_running = transitions.common.admission.lock().is_running(parent.id());
        (snapshot.attempt, snapshot.waits_for.len() == 1 && !is_running)
    };
    assert_eq!(has_lent(), (2, true));
    transitions.launch(late);
    assert_eq!(has_lent(), (2, true), "its slots are still lent");
    transitions.launch(admit());
    assert_eq!(has_lent(), (2, false));
    app.tasks().set_limit(LimitOf::Task("sleep".into()), None).unwrap();
    assert!(matches!(ended(&parent).await, Outcome::Completed { .. }));
}

/// The last two members may both have closed before either has left the batch.
#[tokio::test(start_paused = true)]
async fn the_last_member_that_closes_gives_its_slot_to_the_handler_that_awaits_the_batch() {
    let app = App::of_one(async |app: App, _| {
        app.tasks().batch("sleep", [10_u64, 10], BatchOptions::new())?.outcome().await;
        Ok(())
    });
    app.tasks().set_limit(LimitOf::Task("sleep".into()), 0).unwrap();
    let parent = app.parent();
    sleep(ms(1)).await;
    let engine = &app.tasks().engine;
    let members: Vec<_> = engine.records(&TaskFilter::default()).into_iter().filter(|it| it.parent.is_some()).collect();
    let mut has_slot = vec![];
    for member in &members {
        member.stop(Stop::Cancel(CancelReason::User), None).unwrap();
        engine.transitions.let_others_run();
        has_slot.push(engine.transitions.common.admission.lock().is_running(parent.id()));
    }
    assert_eq!(has_slot, [false, true]);
    for member in &members {
        engine.transitions.over(member);
    }
    ended(&parent).await;
}
