//! Watches the clock for all schedules of a manager, and starts the runs that are due.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::Local;
use tokio::{sync::Notify, time::sleep};

use super::{
    named_schedule::{ScheduledRun, Trigger},
    schedules::{LOOK, Schedules},
};
use crate::{
    error::{Error, error_kind::ErrorKind},
    record::follower::Follower,
    run::{engine::Engine, start::Start},
    start_options::StartOptions,
    task::{id::TaskId, owner::Owner},
};

/// Starts due runs until the manager is dropped or has no schedules.
///
/// Runs are due by the wall clock, but tokio's timer stands still while the machine sleeps. So the driver checks the
/// clock at least every [`LOOK`].
pub(crate) async fn drive(engine: Weak<Engine>, schedules: Weak<Schedules>, changed: Arc<Notify>) {
    loop {
        let Some(rest) = engine.upgrade().and_then(|engine| schedules.upgrade()?.run_due(&engine)) else { return };
        tokio::select! {
            () = sleep(rest) => {}
            () = changed.notified() => {}
        }
    }
}

impl Schedules {
    /// Starts the runs that are due. Returns how long to wait, or `None` if there are no schedules.
    fn run_due(&self, engine: &Engine) -> Option<Duration> {
        if engine.is_guarded() {
            // Due runs stay due. Dropping the guard wakes the driver.
            return Some(LOOK);
        }
        for (name, run) in self.due(engine.now(), &Local) {
            // Starting the runs before this one may have taken a while.
            if !self.is_still_wanted(&name, run.id) {
                continue;
            }
            // The follower is dropped, so a failure that nobody else follows is logged.
            if let Err((error, true)) = self.start_run(engine, &name, &run, true) {
                let task = &*run.spec.task;
                tracing::warn!(task, "schedule \"{name}\" leaves runs out, because their start is refused: {error}");
            }
        }
        self.rest(engine.now(), &Local)
    }

    /// Starts a run with the id `id` outside the timetable. Returns an existing run if an earlier call with this id
    /// started it, or if it has not ended and the schedule does not overlap. `may` says which kinds the caller may use.
    pub(crate) fn trigger_run(
        &self,
        engine: &Engine,
        name: &str,
        id: TaskId,
        may: &dyn Fn(&str) -> bool,
    ) -> Result<Follower, Error> {
        let is_taken = || engine.find(id).is_some() || engine.spent(id).is_some();
        match self.trigger(name, id, engine.now(), may, is_taken)? {
            Trigger::Start(run) => self.start_run(engine, name, &run, false).map_err(|(error, _)| error),
            Trigger::Join(run) => match &run.record {
                Some(record) => Ok(Follower::new(record)),
                None => self.start_run(engine, name, &run, false).map_err(|(error, _)| error),
            },
            Trigger::Repeated(run) => match engine.find(run).filter(|record| may(record.name())) {
                Some(record) => Ok(Follower::new(&record)),
                None => Err(Error::not_found(run)),
            },
        }
    }

    /// Starts a run. The `bool` next to an error says whether to log it.
    fn start_run(
        &self,
        engine: &Engine,
        name: &str,
        run: &ScheduledRun,
        is_due: bool,
    ) -> Result<Follower, (Error, bool)> {
        match start_task(engine, name, run) {
            Ok(started) => {
                self.started(name, run, started.record());
                let (record, changed) = (Arc::clone(started.record()), Arc::clone(&self.changed));
                engine.control().spawn(async move {
                    record.ended().await;
                    changed.notify_one();
                });
                Ok(started)
            }
            Err(error) => {
                // An exit refuses the runs of every schedule. That is not worth a log line each.
                let says_something = error.kind != ErrorKind::ShuttingDown;
                let is_news = self.refused(name, run.id, is_due, engine.now()) && says_something;
                Err((error, is_news))
            }
        }
    }
}

/// Starts the task of a run, or finds the one that was already started for it.
fn start_task(engine: &Engine, name: &str, run: &ScheduledRun) -> Result<Follower, Error> {
    engine.start(Start {
        id: run.id,
        task: &run.spec.task,
        input: run.spec.input.clone(),
        owner: Owner::App,
        options: StartOptions::new().tag(format!("schedule:{name}")),
        sees: &|_| true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Failure, Schedule, TaskContext,
        policy::Policy,
        record::Kind,
        run::{engine::Settings, handler::Errors},
        test::manager,
    };

    #[tokio::test(start_paused = true)]
    async fn a_reserved_run_is_not_started_if_its_schedule_is_paused_or_removed_meanwhile() {
        for pauses in [true, false] {
            let kind = Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
                Ok::<_, Failure>(())
            });
            let tasks = manager([kind], Settings::default());
            tasks.schedule("sync", "quick", (), Schedule::every(Duration::from_secs(10))).unwrap();
            let (name, run) = tasks.schedules.due(10_000, &Local).pop().unwrap();
            if pauses {
                tasks.pause_schedule("sync").unwrap();
            } else {
                tasks.unschedule("sync").unwrap();
            }
            assert!(!tasks.schedules.is_still_wanted(&name, run.id));
            assert!(tasks.schedules().iter().all(|schedule| schedule.running == 0), "the run is forgotten");
        }
    }
}
