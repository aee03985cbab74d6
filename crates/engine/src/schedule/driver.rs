//! Looks at the clock for all schedules of a manager, and starts what is due.

use std::{sync::Arc, time::Duration};

use chrono::Local;
use tokio::{sync::Notify, time::sleep};

use super::{entry::Run, schedules::LOOK};
use crate::{
    Error, ErrorKind, StartOptions, TaskManager,
    manager::{Start, WeakManager},
    record::Follower,
    task::owner::Owner,
};

/// Goes on as long as there are the manager and a schedule.
///
/// The clock that says when something is due is the one on the wall, and the one that wakes this stands still while the machine
/// sleeps: so it looks again after each short rest.
pub(crate) async fn drive(manager: WeakManager, changed: Arc<Notify>) {
    loop {
        let Some(rest) = manager.upgrade().and_then(|manager| manager.run_due()) else { return };
        tokio::select! {
            () = sleep(rest) => {}
            () = changed.notified() => {}
        }
    }
}

impl TaskManager {
    /// Starts what is due; answers for how long nothing is.
    fn run_due(&self) -> Option<Duration> {
        if self.is_guarded() {
            // What is due stays due: there will be a word when the guard goes.
            return Some(LOOK);
        }
        for (name, run) in self.timetables().due(self.now(), &Local) {
            // One that was started before it may have taken its time.
            if !self.timetables().is_still_wanted(&name, run.id) {
                continue;
            }
            // Whoever is interested follows it; what nobody follows is logged if it fails.
            if let Err((error, true)) = self.start_run(&name, &run, true) {
                let task = &*run.words.task;
                tracing::warn!(task, "schedule \"{name}\" leaves runs out, which are refused: {error}");
            }
        }
        self.timetables().rest(self.now(), &Local)
    }

    /// Starts a run. An error comes with whether it is worth a word.
    pub(crate) fn start_run(&self, name: &str, run: &Run, is_due: bool) -> Result<Follower, (Error, bool)> {
        let schedules = self.timetables();
        match self.start_words(name, run) {
            Ok(started) => {
                schedules.started(name, run, started.record());
                let (record, changed) = (Arc::clone(started.record()), Arc::clone(&schedules.changed));
                self.runtime().spawn(async move {
                    record.ended().await;
                    changed.notify_one();
                });
                Ok(started)
            }
            Err(error) => {
                // That everything is about to end need not be said of each schedule.
                let says_something = error.kind != ErrorKind::ShuttingDown;
                let is_news = schedules.refused(name, run.id, is_due, self.now()) && says_something;
                Err((error, is_news))
            }
        }
    }

    /// Starts a task for a run, or finds the one that was started for it.
    fn start_words(&self, name: &str, run: &Run) -> Result<Follower, Error> {
        self.start_for(Start {
            id: run.id,
            task: &run.words.task,
            input: run.words.input.clone(),
            owner: Owner::App,
            options: StartOptions::new().tag(format!("schedule:{name}")),
            sees: &|_| true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Failure, Schedule, TaskContext,
        manager::Settings,
        task::kind::{Errors, Kind, Policy},
        test::manager,
    };

    #[tokio::test(start_paused = true)]
    async fn what_was_reserved_is_not_started_for_a_schedule_that_is_paused_or_taken_off_meanwhile() {
        for pauses in [true, false] {
            let kind = Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
                Ok::<_, Failure>(())
            });
            let tasks = manager([kind], Settings::default());
            tasks.schedule("sync", "quick", (), Schedule::every(Duration::from_secs(10))).unwrap();
            let (name, run) = tasks.timetables().due(10_000, &Local).pop().unwrap();
            if pauses {
                tasks.pause_schedule("sync").unwrap();
            } else {
                tasks.unschedule("sync").unwrap();
            }
            assert!(!tasks.timetables().is_still_wanted(&name, run.id));
            assert!(tasks.schedules().iter().all(|schedule| schedule.running == 0), "and it is forgotten");
        }
    }
}
