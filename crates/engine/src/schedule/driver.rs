//! Watches the clock for all schedules of a manager, and starts the runs that are due.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::Local;
use tokio::{sync::Notify, time::sleep};

use super::{
    local_zone,
    named_schedule::{LeftOut, ScheduledRun, Trigger, Why},
    schedules::Schedules,
    timetable::Now,
};
use crate::{
    clock::{NOTICED_WITHIN, shift::Shift, wall_clock::millis},
    error::{Error, error_kind::ErrorKind, refusal::Refusal},
    logged::logged,
    quota::accounts::Account,
    record::follower::Follower,
    run::{
        engine::Engine,
        start::{Call, Start},
    },
    start_options::StartOptions,
    task::{id::TaskId, owner::Owner},
};

/// Who triggers a run, other than the app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triggerer<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) account: Account,
}

/// Starts due runs until the manager is dropped or has no schedules.
///
/// Runs are due by the wall clock or by the clock that counts sleep, but tokio's timer may stand still while the machine
/// sleeps. So the driver reads the clocks at least every [`NOTICED_WITHIN`].
pub(crate) async fn drive(engine: Weak<Engine>, schedules: Weak<Schedules>, changed: Arc<Notify>, shift: Arc<Shift>) {
    loop {
        let moved = shift.moved();
        let Some(rest) = engine.upgrade().and_then(|engine| schedules.upgrade()?.run_due(&engine)) else { return };
        tokio::select! {
            () = sleep(rest) => {}
            () = moved => {}
            () = changed.notified() => {}
        }
    }
}

impl Schedules {
    /// Starts the runs that are due. Returns how long to wait, or `None` if there are no schedules.
    fn run_due(&self, engine: &Engine) -> Option<Duration> {
        if self.have_cron() {
            self.tell_zone(local_zone::problem().as_deref());
        }
        let may_start = !engine.is_guarded();
        for step in self.due(now(engine), &Local, may_start) {
            if let Some(left_out) = step.left_out {
                log(engine, &step.name, &step.task, left_out);
            }
            // Starting the runs before this one may have taken a while.
            let Some(run) = step.run.filter(|run| self.is_still_wanted(&step.name, run.id)) else { continue };
            // The follower is dropped, so a failure that nobody else follows is logged.
            if let Err((error, true)) = self.start_run(engine, None, &step.name, &run, true) {
                let (name, task, error) = (logged(&step.name), logged(&run.spec.task), logged(error));
                tracing::warn!(task, "schedule \"{name}\" leaves runs out, because their start is refused: {error}");
            }
        }
        // Runs that are due while a guard holds off starts stay due. Dropping the guard wakes the driver.
        self.rest(now(engine), &Local).map(|rest| if may_start { rest } else { NOTICED_WITHIN })
    }

    /// Logs that the time zone can't be read, once for each schedule that follows the local time.
    pub(crate) fn tell_zone(&self, problem: Option<&str>) {
        for (name, task) in self.note_zone(problem.is_some()) {
            let (name, task, problem) = (logged(name), logged(task), logged(problem.unwrap_or_default()));
            tracing::warn!(
                task,
                "schedule \"{name}\" follows UTC and not the local time: {problem}. Set the machine's time zone"
            );
        }
    }

    /// Starts a run with the id `id` outside the timetable. Returns an existing run if an earlier call with this id
    /// started it, or if it has not ended and the schedule does not overlap. `may` says which kinds the caller may use. The app
    /// owns the run. The `caller` gets a share in it, and its quotas hold as for a start; `None` is the app.
    pub(crate) fn trigger_run(
        &self,
        engine: &Engine,
        caller: Option<Triggerer<'_>>,
        name: &str,
        id: TaskId,
        may: &dyn Fn(&str) -> bool,
    ) -> Result<Follower, Error> {
        let owner = caller.map_or(&Owner::App, |caller| caller.owner);
        engine.check_share(id, owner)?;
        let run = match self.trigger(name, id, now(engine), may, |task| engine.joined(id, task, owner))? {
            Trigger::Join(run) if run.id != id && run.record.is_none() => {
                self.start_for_another(engine, caller, name, &run).inspect_err(|_| self.forget_trigger(name, id))?
            }
            // This call has reserved the run, or a repeat of it has.
            Trigger::Start(run) | Trigger::Join(run @ ScheduledRun { record: None, .. }) => {
                self.start_run(engine, caller, name, &run, false).map_err(|(error, _)| error)?
            }
            Trigger::Join(ScheduledRun { record: Some(record), .. }) | Trigger::Known(record) => {
                Follower::joining(&record)
            }
            Trigger::Repeated(run) => match engine.find(run).filter(|record| may(record.name())) {
                Some(record) => Follower::joining(&record),
                None => return Err(Error::not_found(run)),
            },
        };
        if let Some(caller) = caller {
            // Who has started the run has its share since then, and a repeated call changes nothing.
            let shared = engine.add_share(run.record(), caller.owner, caller.account, id);
            shared.inspect_err(|_| self.forget_trigger(name, id))?;
        }
        Ok(run)
    }

    /// Starts a run that the timetable or another call has reserved and not started yet. It is theirs: the `caller` only joins it, which
    /// must be possible, and a refusal leaves the start to them.
    fn start_for_another(
        &self,
        engine: &Engine,
        caller: Option<Triggerer<'_>>,
        name: &str,
        run: &ScheduledRun,
    ) -> Result<Follower, Error> {
        if let Some(Triggerer { account, .. }) = caller {
            engine.check_join(account)?;
        }
        let started = start_task(engine, None, name, run)?;
        self.note_start(engine, name, run, &started);
        Ok(started)
    }

    /// Starts a run. The `bool` next to an error says whether to log it.
    fn start_run(
        &self,
        engine: &Engine,
        caller: Option<Triggerer<'_>>,
        name: &str,
        run: &ScheduledRun,
        is_due: bool,
    ) -> Result<Follower, (Error, bool)> {
        match start_task(engine, caller, name, run) {
            Ok(started) => {
                self.note_start(engine, name, run, &started);
                Ok(started)
            }
            Err(error) if is_due && matches!(error.refusal.as_deref(), Some(Refusal::Guarded { .. })) => {
                self.held_up(name, run.id);
                Err((error, false))
            }
            Err(error) => {
                // An exit refuses the runs of every schedule. That is not worth a log line each.
                let says_something = error.kind != ErrorKind::ShuttingDown;
                let is_news = self.refused(name, run.id, is_due, now(engine)) && says_something;
                Err((error, is_news))
            }
        }
    }

    fn note_start(&self, engine: &Engine, name: &str, run: &ScheduledRun, started: &Follower) {
        if let Some(left_out) = self.started(name, run, started.record()) {
            log(engine, name, &run.spec.task, left_out);
        }
        let (record, changed) = (Arc::clone(started.record()), Arc::clone(&self.changed));
        engine.control().spawn(async move {
            record.ended().await;
            changed.notify_one();
        });
    }
}

/// Reads the clocks.
pub(crate) fn now(engine: &Engine) -> Now {
    let common = &engine.transitions.common;
    let (elapsed, awake) = (millis(common.timers.elapsed()), millis(common.timers.awake_now()));
    Now { wall: common.clock.now(), elapsed, awake }
}

fn log(engine: &Engine, name: &str, task: &str, left_out: LeftOut) {
    let LeftOut { many, why } = left_out;
    let why = match why {
        Why::Overlap => "an earlier run has not ended (see Schedule::overlap)",
        // There the one can't be told from the other.
        Why::Missed if engine.transitions.timers().counts_in_steps() => {
            "their time passed while the machine slept, when its clock was set, or while the app's runtime was held up for \
             minutes (see Schedule::missed)"
        }
        Why::Missed => "their time passed while the machine slept, or when its clock was set (see Schedule::missed)",
        Why::Late => "they were due before another run that starts late: starts were held off, or the app was too busy",
        // It is logged with the error.
        Why::Refused => return,
    };
    let (name, task) = (logged(name), logged(task));
    tracing::info!(task, "schedule \"{name}\" leaves out {many} run(s): {why}");
}

/// Starts the task of a run, or finds the one that was already started for it.
fn start_task(
    engine: &Engine,
    caller: Option<Triggerer<'_>>,
    name: &str,
    run: &ScheduledRun,
) -> Result<Follower, Error> {
    let start = Start {
        id: run.id,
        task: &run.spec.task,
        input: run.spec.input.clone(),
        owner: Owner::App,
        options: StartOptions::new().tag(format!("schedule:{name}")),
        sees: &|_| true,
    };
    let call = Call {
        account: caller.map(|caller| caller.account),
        sharer: caller.map(|caller| caller.owner),
        ..Call::default()
    };
    engine.start_kept(call, start)
}

#[cfg(test)]
mod tests {
    use super::{super::schedules::NextStep, *};
    use crate::{
        Failure, Schedule, TaskContext,
        policy::Policy,
        quota::quotas::Quotas,
        record::Kind,
        run::{engine::Settings, handler::Errors},
        test::{log::Log, manager},
        tests::at_once::at_once,
    };

    #[tokio::test(start_paused = true)]
    async fn an_unreadable_time_zone_is_told_once_for_each_schedule_that_follows_it() {
        let log = Log::capture();
        let kind = Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            Ok::<_, Failure>(())
        });
        let tasks = manager([kind], Settings::default());
        tasks.schedule("interval", "quick", (), Schedule::every(Duration::from_secs(10))).unwrap();
        for name in ["nightly", "weekly"] {
            tasks.schedule(name, "quick", (), Schedule::cron("0 3 * * *").unwrap()).unwrap();
        }
        let told = || log.count("follows UTC and not the local time: no data");
        for _ in 0..2 {
            tasks.schedules.tell_zone(Some("no data"));
            assert_eq!((told(), log.count("\"nightly\""), log.count("\"weekly\"")), (2, 1, 1), "{log:?}");
        }
        tasks.schedules.tell_zone(None);
        tasks.schedules.tell_zone(Some("no data"));
        assert_eq!(told(), 4, "it was readable in the meantime");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reserved_run_is_not_started_if_its_schedule_is_paused_or_removed_meanwhile() {
        for pauses in [true, false] {
            let kind = Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
                Ok::<_, Failure>(())
            });
            let tasks = manager([kind], Settings::default());
            tasks.schedule("sync", "quick", (), Schedule::every(Duration::from_secs(10))).unwrap();
            let at = Now { elapsed: 10_000, ..now(&tasks.engine) };
            let step = tasks.schedules.due(at, &Local, true).pop().unwrap();
            let (name, run) = (step.name, step.run.unwrap());
            if pauses {
                tasks.pause_schedule("sync").unwrap();
            } else {
                tasks.unschedule("sync").unwrap();
            }
            assert!(!tasks.schedules.is_still_wanted(&name, run.id));
            assert!(tasks.schedules().iter().all(|schedule| schedule.running == 0), "the run is forgotten");
        }
    }

    /// A schedule of which four runs have become due while a guard held off starts: the last is reserved and not started.
    async fn reserved(log: &Log) -> (crate::TaskManager, NextStep) {
        let policy = Policy { concurrency: Some(1), queue_limit: Some(0), ..Policy::default() };
        let kind = Kind::new("narrow", policy, Errors::default(), async |_: TaskContext, (): ()| {
            sleep(Duration::from_secs(5)).await;
            Ok::<_, Failure>(())
        });
        let tasks = manager([kind], Settings::default());
        tasks.schedule("sync", "narrow", (), Schedule::every(Duration::from_secs(10))).unwrap();
        let guard = tasks.guard();
        sleep(Duration::from_secs(44)).await;
        drop(guard);
        let step = tasks.schedules.due(now(&tasks.engine), &Local, true).pop().unwrap();
        assert_eq!(log.count("leaves out"), 0);
        (tasks, step)
    }

    fn skipped(tasks: &crate::TaskManager) -> u64 {
        tasks.schedules()[0].skipped
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_late_run_passes_over_is_counted_once_however_often_its_start_is_held_up() {
        let log = Log::capture();
        let (tasks, mut step) = reserved(&log).await;
        for _ in 0..3 {
            let guard = tasks.guard();
            let started = tasks.schedules.start_run(&tasks.engine, None, &step.name, &step.run.unwrap(), true);
            assert!(started.is_err_and(|(_, is_news)| !is_news));
            drop(guard);
            step = tasks.schedules.due(now(&tasks.engine), &Local, true).pop().unwrap();
        }
        tasks.schedules.held_up(&step.name, step.run.unwrap().id);
        sleep(Duration::from_secs(1)).await;
        assert_eq!((tasks.schedules()[0].running, skipped(&tasks)), (1, 3));
        assert_eq!((log.count("leaves out"), log.count("leaves out 3 run(s)")), (1, 1), "{log:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_late_run_passes_over_is_counted_once_if_a_trigger_starts_it_too() {
        let log = Log::capture();
        let (tasks, step) = reserved(&log).await;
        tasks.trigger("sync").unwrap();
        tasks.schedules.start_run(&tasks.engine, None, "sync", &step.run.unwrap(), true).unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!((skipped(&tasks), log.count("leaves out 3 run(s)")), (3, 1), "{log:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_late_run_passes_over_is_counted_once_if_its_start_is_refused() {
        let log = Log::capture();
        let (tasks, step) = reserved(&log).await;
        let _other = tasks.start("narrow", ()).unwrap();
        let refused = tasks.schedules.start_run(&tasks.engine, None, "sync", &step.run.unwrap(), true);
        assert!(refused.is_err_and(|(_, is_news)| is_news));
        assert_eq!(skipped(&tasks), 4);
    }

    fn page(label: &str) -> Owner {
        Owner::Other { label: label.into(), token: 0 }
    }

    /// A schedule whose callers may start so many tasks at once.
    fn hanging(starts: u64) -> crate::TaskManager {
        let kind = Kind::new("hang", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<()>().await;
            Ok::<_, Failure>(())
        });
        let quotas = Quotas { starts_per_second: Some(1), starts_at_once: Some(starts), ..Quotas::default() };
        let tasks = manager([kind], Settings { quotas, ..Settings::default() });
        tasks.schedule("sync", "hang", (), Schedule::every(Duration::from_secs(10))).unwrap();
        tasks
    }

    fn trigger(tasks: &crate::TaskManager, label: &str, id: TaskId) -> Result<Follower, Error> {
        let caller = Triggerer { owner: &page(label), account: Account(label.len() as u64) };
        tasks.trigger_for(Some(caller), "sync", id, &|_| true)
    }

    /// Reserves the run of the timetable.
    fn reserve(tasks: &crate::TaskManager) -> TaskId {
        let at = Now { elapsed: 10_000, ..now(&tasks.engine) };
        tasks.schedules.due(at, &Local, true).pop().and_then(|step| step.run).unwrap().id
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_joins_the_run_that_the_timetable_is_about_to_start() {
        let tasks = hanging(2);
        let run = reserve(&tasks);
        let call = TaskId::new();
        let joined = trigger(&tasks, "b", call).unwrap();
        assert_eq!(joined.record().id, run);
        tasks.engine.leave(call, &page("b"));
        assert!(!joined.record().tells(&page("b")), "it had one share");
        assert!(trigger(&tasks, "b", TaskId::new()).is_ok(), "it has paid one start of two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_that_is_refused_takes_no_run_from_the_timetable_and_starts_none() {
        let tasks = hanging(1);
        tasks.trigger("sync").unwrap();
        trigger(&tasks, "b", TaskId::new()).expect("it pays its only start");
        tasks.cancel_all(&crate::TaskFilter::new());
        sleep(Duration::from_millis(1)).await;
        let run = reserve(&tasks);
        assert_eq!(trigger(&tasks, "b", TaskId::new()).map(drop).unwrap_err().kind, ErrorKind::QuotaExceeded);
        assert!(tasks.schedules.is_still_wanted("sync", run));
        assert_eq!((skipped(&tasks), tasks.schedules()[0].running), (0, 1));
        assert!(tasks.engine.find(run).is_none(), "the timetable starts it");
    }

    #[test]
    fn two_pages_that_trigger_at_once_have_one_share_each() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        for _ in 0..300 {
            let tasks = hanging(1_000);
            let call = |label| {
                let id = TaskId::new();
                (label, id, trigger(&tasks, label, id).unwrap())
            };
            let calls = at_once([&|| call("b"), &|| call("aa")]);
            assert_eq!(calls[0].2.record().id, calls[1].2.record().id);
            for (label, id, run) in &calls {
                tasks.engine.leave(*id, &page(label));
                assert!(!run.record().tells(&page(label)), "{label} had one share");
            }
        }
    }
}
