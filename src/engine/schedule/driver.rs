//! Looks at the clock for all schedules of a manager, and starts what is due.

use std::{sync::Arc, time::Duration};

use chrono::Local;
use tokio::{sync::Notify, time::sleep};

use super::entry::Run;
use crate::engine::{
    Error, ErrorKind, Owner, StartOptions, TaskManager,
    manager::{Start, WeakManager},
    record::Follower,
};

/// Goes on as long as there are the manager and a schedule.
///
/// The clock that says when something is due is the one on the wall, and the one that wakes this stands still while the machine
/// sleeps: so it looks again after each short rest.
pub(super) async fn drive(manager: WeakManager, changed: Arc<Notify>) {
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
        for (name, run) in self.timetables().due(self.now(), &Local) {
            // Whoever is interested follows it; what nobody follows is logged if it fails.
            if let Err((error, true)) = self.start_run(&name, &run, true)
                // That everything is about to end need not be said of each schedule.
                && error.kind != ErrorKind::ShuttingDown
            {
                let task = &*run.words.task;
                tracing::warn!(task, "schedule \"{name}\" leaves runs out, which are refused: {error}");
            }
        }
        self.timetables().rest(self.now(), &Local)
    }

    /// Starts a run. An error comes with whether it is worth a word.
    pub(super) fn start_run(&self, name: &str, run: &Run, is_due: bool) -> Result<Follower, (Error, bool)> {
        let schedules = self.timetables();
        match self.start_words(name, run) {
            Ok(started) => {
                schedules.started(name, run.id, started.record());
                let (record, changed) = (Arc::clone(started.record()), Arc::clone(&schedules.changed));
                self.runtime().spawn(async move {
                    record.ended().await;
                    changed.notify_one();
                });
                Ok(started)
            }
            Err(error) => {
                let is_news = schedules.refused(name, run.id, is_due, self.now());
                Err((error, is_news))
            }
        }
    }

    /// Starts a task for a run, or finds the one that was started for it.
    pub(super) fn start_words(&self, name: &str, run: &Run) -> Result<Follower, Error> {
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
