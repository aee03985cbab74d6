//! What others learn of a handler that awaits a task: its snapshot, and the changes.

use tokio::time::sleep;

use super::{App, ended, ms};
use crate::{
    BatchOptions, TaskChange, TaskFilter, TaskId, TaskStatus,
    delivery::{Look, Told, engine},
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
