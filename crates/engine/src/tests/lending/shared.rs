//! Handlers that share futures with each other.

use std::sync::Arc;

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, select},
};
use tokio::{sync::OnceCell, time::sleep};

use super::{App, ended, ms, some_work};
use crate::{Failure, Outcome, TaskContext, TaskHandle, policy::Policy};

type SharedEnd = Shared<BoxFuture<'static, ()>>;

/// The end of a task, for everybody who wants to await it.
fn shared(task: TaskHandle) -> SharedEnd {
    async move {
        task.outcome().await;
    }
    .boxed()
    .shared()
}

/// A look of the first handler takes the waker of the second one from what they share.
#[tokio::test(start_paused = true)]
async fn a_look_of_a_handler_lets_others_await_what_it_shares_with_them() {
    for has_awaited in [true, false] {
        let app = App::with(Policy::default(), move |app: App, _| async move {
            let end = shared(app.sleeper(1_000));
            let (here, theirs) = (app.clone(), end.clone());
            app.tasks().spawn("other", async move |_: TaskContext| {
                if has_awaited {
                    here.tasks().spawn("quick", async |_: TaskContext| Ok::<_, Failure>(())).outcome().await;
                }
                theirs.await;
                here.tell("the other");
                Ok::<_, Failure>(())
            });
            sleep(ms(100)).await;
            end.await;
            app.tell("the starter");
            Ok(())
        });
        ended(&app.parent()).await;
        sleep(ms(1)).await;
        let mut told: Vec<_> = app.told().into_iter().skip(1).collect();
        told.sort();
        assert_eq!(told, [(1_000, "the other".to_owned()), (1_000, "the starter".to_owned())]);
    }
}

/// Each look of one wakes the other. If they went on like that, the time of this test would stand still.
#[tokio::test(start_paused = true)]
async fn handlers_that_await_the_tasks_of_each_other_come_to_rest() {
    for both in [true, false] {
        let ends: [Arc<OnceCell<SharedEnd>>; 2] = Default::default();
        let app = App::with(Policy::default(), move |app: App, _| {
            let ends = ends.clone();
            async move {
                let place = usize::from(ends[0].initialized());
                ends[place].set(shared(app.sleeper(1_000))).unwrap();
                sleep(ms(10)).await;
                let [own, theirs] = [place, 1 - place].map(|place| ends[place].get().unwrap().clone());
                if both {
                    futures_util::future::join(own, theirs).await;
                } else {
                    select(own, theirs).await;
                }
                some_work(&app).await;
                Ok(())
            }
        });
        for task in [app.parent(), app.parent()] {
            let outcome = ended(&task).await;
            assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
        }
        assert_eq!(app.told(), [(0, "sleep 1000".to_owned()), (1_000, "sleep 1000".to_owned())]);
    }
}
