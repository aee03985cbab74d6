//! The tasks of owners that have gone.

use super::manager;
use crate::{
    CancelReason, Failure, Json, OnOwnerClosed, Outcome, StartOptions, TaskContext, TaskHandle, TaskId, TaskManager,
    TaskStatus,
    policy::Policy,
    record::Kind,
    run::{
        engine::Settings,
        handler::Errors,
        start::{Start, StartBatch},
    },
    task::owner::Owner,
};

fn labelled(label: &str) -> Owner {
    Owner::Other { label: label.into(), token: 0 }
}

fn kinds() -> TaskManager {
    let kinds = [OnOwnerClosed::GoOn, OnOwnerClosed::Cancel].map(|what| {
        let policy = Policy { on_owner_closed: what, concurrency: Some(1), ..Policy::default() };
        Kind::new(format!("{what:?}"), policy, Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        })
    });
    manager(kinds, Settings::default())
}

fn start(tasks: &TaskManager, task: &str, owner: Owner) -> TaskHandle {
    let id = TaskId::new();
    let options = StartOptions::new();
    let start = Start { id, task, input: Json::null(), owner, options, sees: &|_| true };
    tasks.engine.start(start).unwrap();
    tasks.handle(id).unwrap()
}

#[tokio::test(start_paused = true)]
async fn when_an_owner_goes_its_tasks_pass_to_the_app_or_are_cancelled() {
    let tasks = kinds();
    let main = || labelled("main");
    let (goes_on, runs, waits) =
        (start(&tasks, "GoOn", main()), start(&tasks, "Cancel", main()), start(&tasks, "Cancel", main()));
    let (of_app, of_other) = (start(&tasks, "Cancel", Owner::App), start(&tasks, "Cancel", labelled("other")));
    tokio::task::yield_now().await;
    tasks.engine.disown(|owner| owner.label() == Some("main"));
    for task in [runs, waits] {
        assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::OwnerClosed });
        assert_eq!(task.snapshot().owner, None);
    }
    assert_eq!((goes_on.status(), goes_on.snapshot().owner), (TaskStatus::Running, None));
    assert!(!of_app.status().is_final() && !of_other.status().is_final());
    assert_eq!(of_other.snapshot().owner.as_deref(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_cancelled_with_its_members_when_its_owner_goes() {
    let tasks = kinds();
    let id = TaskId::new();
    let inputs = vec![Json::null(), Json::null()];
    let owner = labelled("main");
    let batch = StartBatch { id, task: "Cancel", inputs, owner, options: crate::BatchOptions::new() };
    tasks.engine.start_batch(batch).unwrap();
    tasks.engine.disown(|owner| owner.label() == Some("main"));
    let batch = tasks.attach_batch("Cancel", id).unwrap();
    assert_eq!(batch.outcome().await, Outcome::Cancelled { reason: CancelReason::OwnerClosed });
    for member in batch.members() {
        assert!(matches!(member.outcome().await, Outcome::Cancelled { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_owner_keeps_the_tasks_that_go_on_and_loses_the_others() {
    let tasks = kinds();
    let main = || labelled("main");
    let loses = |label: &str| tasks.engine.loses_with(&labelled(label));
    let goes_on = start(&tasks, "GoOn", main());
    assert!(!loses("main"), "the task goes on without its owner");
    let (cancelled, of_other) = (start(&tasks, "Cancel", main()), start(&tasks, "Cancel", labelled("other")));
    assert!(loses("main") && loses("other") && !loses("third"));
    tasks.engine.owners_are_silent(|owner| *owner == main());
    assert_eq!(cancelled.outcome().await, Outcome::Cancelled { reason: CancelReason::OwnerClosed });
    assert!(!loses("main"), "the task has ended");
    assert_eq!(goes_on.snapshot().owner.as_deref(), Some("main"));
    assert!(!goes_on.status().is_final() && !of_other.status().is_final());
}
