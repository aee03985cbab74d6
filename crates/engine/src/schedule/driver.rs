//! Watches the clock for all schedules of a manager, and starts the runs that are due.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::Local;
use tokio::{sync::Notify, time::sleep};

use super::{
    local_zone,
    named_schedule::{LeftOut, Pays, ScheduledRun, Trigger, TriggerCall, Why},
    schedules::Schedules,
    timetable::Now,
};
use crate::{
    clock::{NOTICED_WITHIN, shift::Shift, wall_clock::millis},
    error::{Error, error_kind::ErrorKind, refusal::Refusal},
    logged::logged,
    quota::accounts::{Account, Bill},
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
        let bill = caller.and_then(|caller| self.bill(engine, caller.account, name));
        let trigger = self.trigger(
            name,
            now(engine),
            &TriggerCall {
                id,
                caller: owner,
                may,
                joined: &|task| engine.joined(id, task, owner),
                can_pay: &|pays| match bill {
                    Some(bill) => engine.check_bill(if pays == Pays::Start { bill } else { bill.joining() }),
                    None => Ok(()),
                },
            },
        )?;
        let run = self.follow(engine, caller, name, id, trigger, may)?;
        let Some(Triggerer { owner, account }) = caller else { return Ok(run) };
        // Who has started the run has its share since then, and a repeated call changes nothing.
        match engine.add_share(run.record(), owner, account, id) {
            Ok(()) => Ok(run),
            Err(error) => {
                self.forget_trigger(name, id);
                Err(error)
            }
        }
    }

    /// Returns what a run that this account starts needs of its quotas; `None` if there is no schedule of this name.
    /// Makes room for it.
    fn bill(&self, engine: &Engine, account: Account, name: &str) -> Option<Bill> {
        let spec = self.spec_of(name)?;
        let bytes = spec.input.len() + options(name).kept_bytes(false);
        Some(engine.bill_with_room(account, 1, bytes))
    }

    /// Returns the run that the trigger with this id leads to. Starts it if nobody has done so.
    fn follow(
        &self,
        engine: &Engine,
        caller: Option<Triggerer<'_>>,
        name: &str,
        id: TaskId,
        trigger: Trigger,
        may: &dyn Fn(&str) -> bool,
    ) -> Result<Follower, Error> {
        match trigger {
            Trigger::Start(run) | Trigger::Join(run @ ScheduledRun { record: None, .. }) => {
                // A run that somebody else is about to start is joined, so it is started as if by the app.
                let starter = caller.filter(|_| run.id == id);
                self.start_run(engine, starter, name, &run, false).map_err(|(error, _)| {
                    self.forget_trigger(name, id);
                    error
                })
            }
            Trigger::Join(ScheduledRun { record: Some(record), .. }) | Trigger::Known(record) => {
                Ok(Follower::joining(&record))
            }
            Trigger::Repeated(run) => match engine.find(run).filter(|record| may(record.name())) {
                Some(record) => Ok(Follower::joining(&record)),
                None => Err(Error::not_found(run)),
            },
        }
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
                if let Some(left_out) = self.started(name, run.id, started.record()) {
                    log(engine, name, &run.spec.task, left_out);
                }
                let (record, changed) = (Arc::clone(started.record()), Arc::clone(&self.changed));
                engine.control().spawn(async move {
                    record.ended().await;
                    changed.notify_one();
                });
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

/// Returns the options of the runs of the schedule of this name.
fn options(name: &str) -> StartOptions {
    StartOptions::new().tag(format!("schedule:{name}"))
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
        options: options(name),
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

    /// Schedules `sync`, for accounts with this many starts.
    fn for_callers(starts: u64) -> crate::TaskManager {
        let kind = Kind::new("hangs", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<()>().await;
            Ok::<_, Failure>(())
        });
        let quotas = Quotas { starts_per_second: Some(1), starts_at_once: Some(starts), ..Quotas::default() };
        let tasks = manager([kind], Settings { quotas, ..Settings::default() });
        tasks.schedule("other", "hangs", (), Schedule::every(Duration::from_secs(3_600)).overlap()).unwrap();
        tasks.schedule("sync", "hangs", (), Schedule::every(Duration::from_secs(10))).unwrap();
        tasks
    }

    /// Like [`for_callers`]; a run of `sync` is due and reserved.
    fn reserved_for_callers(starts: u64) -> (crate::TaskManager, NextStep) {
        let tasks = for_callers(starts);
        let step = due(&tasks);
        (tasks, step)
    }

    /// Returns what the driver does next for `sync`, whose run is due.
    fn due(tasks: &crate::TaskManager) -> NextStep {
        let at = Now { elapsed: 10_000, ..now(&tasks.engine) };
        tasks.schedules.due(at, &Local, true).pop().unwrap()
    }

    fn trigger(tasks: &crate::TaskManager, label: &str, name: &str, id: TaskId) -> Result<TaskId, Error> {
        let (owner, account) = (page(label), Account(u64::from(label.as_bytes()[0])));
        let run = tasks.trigger_for(Some(Triggerer { owner: &owner, account }), name, id, &|_| true)?;
        Ok(run.record().id)
    }

    /// Reserves a run for a page, as a trigger does before it starts the run.
    fn reserve(tasks: &crate::TaskManager, label: &str, id: TaskId) -> Result<Trigger, Error> {
        let caller = &page(label);
        let call = TriggerCall { id, caller, may: &|_| true, joined: &|_| Ok(None), can_pay: &|_| Ok(()) };
        tasks.schedules.trigger("sync", now(&tasks.engine), &call)
    }

    fn sync(tasks: &crate::TaskManager) -> (u32, u64) {
        let schedules = tasks.schedules();
        let sync = schedules.iter().find(|schedule| schedule.name == "sync").unwrap();
        (sync.running, sync.skipped)
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_joins_a_reserved_run_pays_one_start_for_one_share() {
        let (tasks, step) = reserved_for_callers(1);
        let (run, call) = (step.run.unwrap(), TaskId::new());
        assert_eq!(trigger(&tasks, "a", "sync", call).unwrap(), run.id);
        let record = tasks.engine.find(run.id).unwrap();
        assert!(record.tells(&page("a")));
        assert_eq!(trigger(&tasks, "a", "sync", call).unwrap(), run.id, "a repeat");
        assert_eq!(trigger(&tasks, "a", "sync", TaskId::new()).unwrap_err().kind, ErrorKind::QuotaExceeded);
        tasks.engine.leave(call, &page("a"));
        assert!(!record.tells(&page("a")));
        assert!(tasks.schedules.is_still_wanted("sync", run.id));
        let started = tasks.schedules.start_run(&tasks.engine, None, "sync", &run, true).unwrap();
        assert_eq!((started.record().id, sync(&tasks)), (run.id, (1, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_joins_the_reserved_run_of_another_leaves_it_its_call() {
        let (tasks, step) = reserved_for_callers(2);
        tasks.schedules.refused("sync", step.run.unwrap().id, true, now(&tasks.engine));
        let (first, second) = (TaskId::new(), TaskId::new());
        let Ok(Trigger::Start(run)) = reserve(&tasks, "a", first) else { panic!("nothing runs") };
        assert_eq!(reserve(&tasks, "b", first).map(drop).unwrap_err().kind, ErrorKind::InvalidId, "it is another's");
        assert_eq!(trigger(&tasks, "b", "sync", second).unwrap(), first);
        let (owner, account) = (page("a"), Account(1));
        let caller = Some(Triggerer { owner: &owner, account });
        tasks.schedules.start_run(&tasks.engine, caller, "sync", &run, false).unwrap();
        assert_eq!(trigger(&tasks, "a", "sync", first).unwrap(), first);
        let record = tasks.engine.find(first).unwrap();
        for (label, call) in [("a", first), ("b", second)] {
            assert!(record.tells(&page(label)));
            tasks.engine.leave(call, &page(label));
            assert!(!record.tells(&page(label)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_over_a_quota_reserves_nothing_and_takes_no_due_run() {
        let (tasks, step) = reserved_for_callers(1);
        let run = step.run.unwrap();
        trigger(&tasks, "a", "other", TaskId::new()).unwrap();
        assert_eq!(trigger(&tasks, "a", "sync", TaskId::new()).unwrap_err().kind, ErrorKind::QuotaExceeded);
        assert!(tasks.schedules.is_still_wanted("sync", run.id));
        tasks.schedules.start_run(&tasks.engine, None, "sync", &run, true).unwrap();
        assert_eq!(sync(&tasks), (1, 0));
        // If its caller can't pay, the due run finds no other that it would overlap with.
        let (tasks, step) = reserved_for_callers(1);
        tasks.schedules.held_up("sync", step.run.unwrap().id);
        let caller = &page("a");
        let poor = TriggerCall {
            id: TaskId::new(),
            caller,
            may: &|_| true,
            joined: &|_| Ok(None),
            can_pay: &|_| Err(Error::not_found(TaskId::new())),
        };
        assert!(tasks.schedules.trigger("sync", now(&tasks.engine), &poor).is_err());
        assert!(due(&tasks).run.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_trigger_leaves_a_reserved_run_to_those_who_reserved_or_joined_it() {
        let (tasks, step) = reserved_for_callers(9);
        let due = step.run.unwrap();
        // Refused for another reason than a quota.
        let guard = tasks.guard();
        assert_eq!(trigger(&tasks, "a", "sync", TaskId::new()).unwrap_err().kind, ErrorKind::ShuttingDown);
        drop(guard);
        assert!(tasks.schedules.is_still_wanted("sync", due.id));
        assert_eq!(sync(&tasks), (1, 0));
        tasks.schedules.refused("sync", due.id, true, now(&tasks.engine));
        assert_eq!(sync(&tasks), (0, 1), "the last that was starting it");
        let (first, second) = (TaskId::new(), TaskId::new());
        let Ok(Trigger::Start(run)) = reserve(&tasks, "a", first) else { panic!("nothing runs") };
        let Ok(Trigger::Join(_)) = reserve(&tasks, "b", second) else { panic!("it is reserved") };
        tasks.schedules.refused("sync", run.id, false, now(&tasks.engine));
        assert_eq!(trigger(&tasks, "c", "sync", TaskId::new()).unwrap(), run.id, "b is still starting it");
        assert_eq!((trigger(&tasks, "b", "sync", second).unwrap(), sync(&tasks)), (run.id, (1, 1)));
    }

    #[test]
    fn two_pages_that_trigger_at_once_have_one_share_each() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        for _ in 0..300 {
            let tasks = for_callers(1_000);
            let call = |label| {
                let id = TaskId::new();
                (label, id, trigger(&tasks, label, "sync", id).unwrap())
            };
            let calls = at_once([&|| call("b"), &|| call("a")]);
            assert_eq!(calls[0].2, calls[1].2);
            let record = tasks.engine.find(calls[0].2).unwrap();
            for (label, id, _) in &calls {
                tasks.engine.leave(*id, &page(label));
                assert!(!record.tells(&page(label)), "{label} had one share");
            }
        }
    }
}
