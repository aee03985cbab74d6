//! A handler lends its slots for existing tasks as well, if it gets them from a call that could have started them.

use std::time::Duration;

use super::{App, ended, ms};
use crate::{
    BatchOptions, Json, Outcome, Schedule, StartOptions, TaskHandle, TaskId,
    handle::batch::BatchHandle,
    run::start::{Start, StartBatch},
    task::owner::Owner,
};

fn schedule(app: &App) {
    app.tasks().schedule("sync", "sleep", 10_u64, Schedule::every(Duration::from_secs(3_600))).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handler_lends_its_slot_for_the_run_that_it_triggers() {
    for is_earlier in [true, false] {
        let app = App::of_one(async |app: App, _| {
            app.tasks().trigger("sync")?.outcome().await;
            app.tell("goes on");
            Ok(())
        });
        schedule(&app);
        let parent = app.parent();
        if is_earlier {
            app.tasks().trigger("sync").unwrap();
        }
        ended(&parent).await;
        app.has_told(&[(0, "sleep 10"), (10, "goes on")]);
    }
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Start,
    Batch,
    Trigger,
}

impl Call {
    /// Calls for the task `id`. A repeated call returns the same task.
    fn make(self, app: &App, id: TaskId) -> TaskHandle {
        let tasks = app.tasks();
        let owner = Owner::Other { label: "main".into(), token: 0 };
        let input = Json::new(&10).unwrap();
        let follower = match self {
            Self::Start => {
                let options = StartOptions::new();
                tasks.engine.start(Start { id, task: "sleep", input, owner, options, sees: &|_| true })
            }
            Self::Batch => {
                let inputs = vec![input.clone(), input];
                tasks.engine.start_batch(StartBatch { id, task: "sleep", inputs, owner, options: BatchOptions::new() })
            }
            Self::Trigger => tasks.trigger_for(None, "sync", id, &|_| true),
        };
        TaskHandle::new(&tasks.engine, &tasks.schedules, follower.unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_lends_its_slot_for_a_task_whose_start_it_repeats() {
    for call in [Call::Start, Call::Batch, Call::Trigger] {
        let id = TaskId::new();
        let app = App::of_one(move |app: App, _| async move {
            let task = call.make(&app, id);
            assert_eq!(task.id(), id);
            task.outcome().await;
            Ok(())
        });
        schedule(&app);
        let parent = app.parent();
        let task = call.make(&app, id);
        ended(&parent).await;
        assert!(matches!(task.outcome().await, Outcome::Completed { .. }), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_repeats_the_start_of_a_batch_lends_its_slot_for_each_member() {
    let id = TaskId::new();
    let app = App::of_one(move |app: App, _| async move {
        let batch: BatchHandle = BatchHandle::new(Call::Batch.make(&app, id));
        for member in batch.members() {
            member.outcome().await;
            app.tell("a member has ended");
        }
        Ok(())
    });
    let parent = app.parent();
    Call::Batch.make(&app, id);
    ended(&parent).await;
    assert_eq!(app.begin.elapsed(), ms(20));
    assert_eq!(app.told().len(), 4);
}
