//! Schedules with real runs, in paused time. The wall clock follows tokio's, and tests can set it.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{advance, sleep},
};

use super::observe::Log;
use crate::{
    Backoff, ErrorKind, Failure, Json, LimitOf, Missed, Schedule, ScheduleSnapshot, TaskContext, TaskFilter, TaskId,
    TaskManager, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::{
        clocks::{MADE_AT, TestMachine},
        log, manager_with,
    },
};

const HOUR: u64 = 3_600;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn manager() -> (TaskManager, TestMachine) {
    let takes = Kind::new("takes", Policy::default(), Errors::default(), async |_: TaskContext, seconds: u64| {
        sleep(secs(seconds)).await;
        Ok::<_, Failure>(())
    });
    let fails = Kind::new("fails", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
        Err::<(), _>(Failure::new("no luck"))
    });
    let policy = Policy { concurrency: Some(1), queue_limit: Some(0), ..Policy::default() };
    let narrow = Kind::new("narrow", policy, Errors::default(), async |_: TaskContext, (): ()| {
        sleep(secs(25)).await;
        Ok::<_, Failure>(())
    });
    let machine = TestMachine::new();
    (manager_with([takes, fails, narrow], Settings::default(), machine.clocks()), machine)
}

fn seconds(at: u64) -> u64 {
    assert_eq!(at % 1_000, 0, "{at}");
    (at - MADE_AT) / 1_000
}

/// When the runs of a schedule were started, in seconds since the manager was made.
fn runs(tasks: &TaskManager, name: &str) -> Vec<u64> {
    let runs = tasks.list(&TaskFilter::default().tag(format!("schedule:{name}")));
    runs.iter().map(|run| seconds(run.created_at)).collect()
}

fn only(tasks: &TaskManager) -> ScheduleSnapshot {
    let [only] = tasks.schedules().try_into().unwrap();
    only
}

fn every(interval: u64) -> Schedule {
    Schedule::every(secs(interval))
}

#[tokio::test(start_paused = true)]
async fn a_schedule_starts_a_task_of_the_app_at_each_interval() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 4, every(10)).unwrap();
    sleep(secs(32)).await;
    assert_eq!(runs(&tasks, "sync"), [10, 20, 30]);
    let schedule = only(&tasks);
    assert_eq!(
        (&*schedule.name, &*schedule.task, schedule.every, schedule.cron),
        ("sync", "takes", Some(10_000), None)
    );
    assert_eq!((schedule.running, schedule.failures, schedule.skipped, schedule.paused), (1, 0, 0, false));
    assert_eq!(schedule.next_run_at.map(seconds), Some(40));
    let last = schedule.last_run.unwrap();
    assert_eq!((seconds(last.started_at), last.ended_at, last.status), (30, None, TaskStatus::Running));
    let run = tasks.get(last.id).unwrap();
    assert_eq!((run.owner, run.tags), (None, vec!["schedule:sync".to_owned()]));
    sleep(secs(4)).await;
    let last = only(&tasks).last_run.unwrap();
    assert_eq!((last.ended_at.map(seconds), last.status, last.error), (Some(34), TaskStatus::Completed, None));
}

#[tokio::test(start_paused = true)]
async fn the_last_run_is_remembered_longer_than_its_task() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "fails", (), every(10).at_once()).unwrap();
    sleep(secs(1)).await;
    let id = only(&tasks).last_run.unwrap().id;
    tasks.remove(id).unwrap();
    let last = only(&tasks).last_run.unwrap();
    assert_eq!((last.id, last.status, last.error.unwrap().message), (id, TaskStatus::Failed, "no luck".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_schedule_shows_an_end_once_a_watcher_has_learned_of_it() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "fails", (), every(10)).unwrap();
    tasks.trigger("sync").unwrap().outcome().await;
    assert_eq!((only(&tasks).running, only(&tasks).failures), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_would_overlap_is_skipped_and_counted() {
    let (tasks, _) = manager();
    tasks.schedule("alone", "takes", 25, every(10)).unwrap();
    tasks.schedule("together", "takes", 25, every(10).overlap()).unwrap();
    sleep(secs(51)).await;
    assert_eq!((runs(&tasks, "alone"), runs(&tasks, "together")), (vec![10, 40], vec![10, 20, 30, 40, 50]));
    let [alone, together] = tasks.schedules().try_into().unwrap();
    assert_eq!((alone.skipped, alone.running, together.skipped, together.running), (3, 1, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn the_interval_may_count_from_the_end_of_the_last_run() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 5, every(10).from_end().at_once()).unwrap();
    sleep(secs(3)).await;
    assert_eq!(only(&tasks).next_run_at, None);
    sleep(secs(3)).await;
    assert_eq!(only(&tasks).next_run_at.map(seconds), Some(15));
    sleep(secs(40)).await;
    assert_eq!(runs(&tasks, "sync"), [0, 15, 30, 45]);
}

#[tokio::test(start_paused = true)]
async fn a_cron_expression_is_followed_to_the_second() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 0, Schedule::cron("*/20 * * * * *").unwrap()).unwrap();
    sleep(secs(65)).await;
    assert_eq!(runs(&tasks, "sync"), [20, 40, 60]);
    let schedule = only(&tasks);
    assert_eq!((schedule.every, schedule.cron.as_deref()), (None, Some("*/20 * * * * *")));
    assert_eq!(schedule.next_run_at.map(seconds), Some(80));
}

#[tokio::test(start_paused = true)]
async fn a_failure_does_not_end_the_schedule_but_delays_the_next_run() {
    let (tasks, _) = manager();
    let backoff = Backoff::exponential().first_delay(secs(15)).max_delay(secs(40)).jitter(false);
    tasks.schedule("sync", "fails", (), every(10).back_off(backoff)).unwrap();
    sleep(secs(10)).await;
    sleep(secs(1)).await;
    assert_eq!(only(&tasks).next_run_at.map(seconds), Some(25));
    sleep(secs(130)).await;
    assert_eq!(runs(&tasks, "sync"), [10, 25, 55, 95, 135]);
    assert_eq!((only(&tasks).failures, only(&tasks).skipped), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_start_is_skipped_and_counted() {
    let (tasks, _) = manager();
    let other = tasks.start("narrow", ()).unwrap();
    sleep(secs(1)).await;
    tasks.schedule("sync", "narrow", (), every(10).from_end()).unwrap();
    sleep(secs(35)).await;
    other.outcome().await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).skipped, only(&tasks).running), (vec![31], 2, 1));
}

#[tokio::test(start_paused = true)]
async fn consecutive_refusals_are_logged_once() {
    let (log, _guard) = Log::capture();
    let (tasks, _) = manager();
    let other = tasks.start("narrow", ()).unwrap();
    tasks.schedule("sync", "narrow", (), every(10)).unwrap();
    sleep(secs(21)).await;
    assert_eq!((only(&tasks).skipped, log.count("leaves runs out")), (2, 1), "{}", log.text());
    other.outcome().await;
    sleep(secs(6)).await;
    assert_eq!((only(&tasks).running, log.count("leaves runs out")), (1, 1), "{}", log.text());
    sleep(secs(25)).await;
    let other = tasks.start("narrow", ()).unwrap();
    sleep(secs(15)).await;
    assert_eq!(log.count("leaves runs out"), 2, "{}", log.text());
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn no_run_is_started_or_logged_during_an_exit() {
    let (log, _guard) = Log::capture();
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 100, every(10)).unwrap();
    sleep(secs(11)).await;
    assert!(tasks.shut_down(secs(1)).await.is_empty());
    assert_eq!(tasks.trigger("sync").unwrap_err().kind, ErrorKind::ShuttingDown);
    sleep(secs(30)).await;
    let schedule = only(&tasks);
    assert_eq!((schedule.running, schedule.skipped, schedule.last_run.unwrap().status), (0, 3, TaskStatus::Cancelled));
    assert_eq!(schedule.next_run_at, None, "there is no next run");
    assert_eq!((runs(&tasks, "sync"), log.count("leaves runs out")), (vec![10], 0), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_due_while_starts_are_held_off_is_started_later() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 1, every(100)).unwrap();
    sleep(secs(99)).await;
    let guard = tasks.guard();
    sleep(secs(40)).await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).skipped), (vec![], 0));
    drop(guard);
    sleep(secs(1)).await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).skipped), (vec![139], 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_nobody_follows_is_logged() {
    let (log, _guard) = Log::capture();
    let (tasks, _) = manager();
    tasks.schedule("sync", "fails", (), every(10)).unwrap();
    sleep(secs(11)).await;
    assert_eq!(log.count("nobody was watching"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn runs_respect_the_limits_of_their_kind() {
    let (tasks, _) = manager();
    tasks.set_limit(LimitOf::Task("takes".into()), 0).unwrap();
    tasks.schedule("sync", "takes", 1, every(10)).unwrap();
    sleep(secs(25)).await;
    assert_eq!(only(&tasks).last_run.unwrap().status, TaskStatus::Queued);
    assert_eq!((only(&tasks).running, only(&tasks).skipped), (1, 1), "a waiting task is a run, too");
}

// Sleep, and changes of the clock.

#[tokio::test(start_paused = true)]
async fn sleep_is_noticed_within_half_a_minute() {
    let (log, _guard) = Log::capture();
    let (tasks, machine) = manager();
    tasks.schedule("skips", "takes", 0, every(HOUR)).unwrap();
    tasks.schedule("once", "takes", 0, every(HOUR).missed(Missed::Once)).unwrap();
    sleep(secs(10)).await;
    machine.sleep(secs(5 * HOUR)).await;
    sleep(secs(30)).await;
    assert_eq!((runs(&tasks, "skips"), runs(&tasks, "once")), (vec![], vec![5 * HOUR + 30]));
    for schedule in tasks.schedules() {
        assert_eq!(schedule.next_run_at.map(seconds), Some(6 * HOUR + 30));
        assert_eq!(schedule.skipped, if schedule.name == "skips" { 5 } else { 0 });
    }
    assert_eq!(log.count("schedule \"skips\" leaves out 5 run(s): their time passed while the machine slept"), 1);
    assert_eq!(log.count("leaves out"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn setting_the_clock_back_stops_no_schedule() {
    let (tasks, machine) = manager();
    tasks.schedule("sync", "takes", 0, every(60)).unwrap();
    sleep(secs(61)).await;
    machine.set(-50 * 60_000);
    sleep(secs(300)).await;
    let many = tasks.list(&TaskFilter::default().tag("schedule:sync")).len();
    assert_eq!(many, 6, "one in each minute");
}

#[tokio::test(start_paused = true)]
async fn the_next_time_is_right_even_before_a_jump_of_the_clock_is_noticed() {
    let (tasks, machine) = manager();
    tasks.schedule("sync", "takes", 0, every(HOUR)).unwrap();
    sleep(secs(1)).await;
    machine.set(-600_000);
    let next = only(&tasks).next_run_at;
    assert_eq!(next, Some(3_600_000 - 600_000 + 3_600_000), "in 59 minutes and 59 seconds, by the clock as it is now");
    machine.set(600_000);
    machine.sleep(secs(9 * HOUR)).await;
    assert_eq!(only(&tasks).next_run_at.map(seconds), Some(9 * HOUR + 1), "now");
}

// Changes.

#[tokio::test(start_paused = true)]
async fn a_paused_schedule_starts_nothing_and_does_not_catch_up() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 0, every(10).missed(Missed::Once)).unwrap();
    sleep(secs(11)).await;
    tasks.pause_schedule("sync").unwrap();
    tasks.pause_schedule("sync").unwrap();
    sleep(secs(204)).await;
    assert_eq!((only(&tasks).paused, only(&tasks).next_run_at), (true, None));
    tasks.resume_schedule("sync").unwrap();
    sleep(secs(4)).await;
    tasks.resume_schedule("sync").unwrap();
    sleep(secs(8)).await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).paused), (vec![10, 225], false));
}

#[tokio::test(start_paused = true)]
async fn a_trigger_starts_a_run_at_once_even_if_the_schedule_is_paused() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 1, every(10)).unwrap();
    sleep(secs(3)).await;
    let run = tasks.trigger("sync").unwrap();
    assert_eq!(only(&tasks).last_run.unwrap().id, run.id());
    sleep(secs(8)).await;
    tasks.pause_schedule("sync").unwrap();
    sleep(secs(5)).await;
    tasks.trigger("sync").unwrap();
    sleep(secs(20)).await;
    assert_eq!(runs(&tasks, "sync"), [3, 10, 16]);
}

#[tokio::test(start_paused = true)]
async fn a_trigger_joins_the_current_run_unless_runs_may_overlap() {
    let (tasks, _) = manager();
    tasks.schedule("alone", "takes", 5, every(60)).unwrap();
    tasks.schedule("together", "takes", 5, every(60).overlap()).unwrap();
    let ids = |name| [(); 2].map(|()| tasks.trigger(name).unwrap().id());
    let ([first, second], [third, fourth]) = (ids("alone"), ids("together"));
    assert!(first == second && third != fourth);
    sleep(secs(6)).await;
    assert_ne!(tasks.trigger("alone").unwrap().id(), first, "the first run has ended");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_trigger_starts_nothing() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 1, every(60)).unwrap();
    let (id, joins) = (TaskId::new(), TaskId::new());
    let run = |id| tasks.trigger_for(None, "sync", id, &|_| true).map(|run| run.record().id);
    assert_eq!((run(id).unwrap(), run(joins).unwrap()), (id, id));
    sleep(secs(2)).await;
    assert_eq!((run(id).unwrap(), run(joins).unwrap()), (id, id), "the ids are remembered after the end");
    assert_eq!((runs(&tasks, "sync").len(), only(&tasks).running), (1, 0));
    tasks.remove(id).unwrap();
    assert_eq!(run(joins).unwrap_err().kind, ErrorKind::NotFound);
    let other = tasks.start("takes", 1).unwrap().id();
    assert_eq!(run(other).unwrap_err().kind, ErrorKind::InvalidId, "this id is not a run of the schedule");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_may_not_start_the_kind_finds_no_schedule_to_trigger() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 5, every(60)).unwrap();
    let run = |task: &'static str, id| tasks.trigger_for(None, "sync", id, &move |name| name == task).map(drop);
    assert_eq!(run("fails", TaskId::new()).unwrap_err().kind, ErrorKind::UnknownSchedule);
    assert_eq!(only(&tasks).running, 0);
    let id = TaskId::new();
    run("takes", id).unwrap();
    tasks.schedule("sync", "fails", (), every(60)).unwrap();
    assert_eq!(
        run("fails", TaskId::new()).unwrap_err().kind,
        ErrorKind::UnknownSchedule,
        "the current run is of another kind"
    );
    sleep(secs(6)).await;
    assert_eq!(run("fails", id).unwrap_err().kind, ErrorKind::NotFound);
    run("fails", TaskId::new()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_trigger_returns_the_error_and_is_not_counted() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "narrow", (), every(60)).unwrap();
    let other = tasks.start("narrow", ()).unwrap();
    let id = TaskId::new();
    let run = || tasks.trigger_for(None, "sync", id, &|_| true).map(|run| run.record().id);
    assert_eq!(run().unwrap_err().kind, ErrorKind::QueueFull);
    assert_eq!((only(&tasks).skipped, only(&tasks).running, only(&tasks).last_run), (0, 0, None));
    other.outcome().await;
    assert_eq!(run().unwrap(), id, "the same id can be used after a refusal");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_replaces_another_begins_again_without_overlap() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 24, every(10)).unwrap();
    sleep(secs(21)).await;
    assert_eq!(only(&tasks).skipped, 1);
    tasks.schedule("sync", "takes", 1, every(5)).unwrap();
    let schedule = only(&tasks);
    assert_eq!((schedule.every, schedule.running, schedule.skipped, schedule.last_run), (Some(5_000), 1, 0, None));
    sleep(secs(16)).await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).skipped), (vec![10, 36], 2), "26 and 31 were skipped");
}

#[tokio::test(start_paused = true)]
async fn the_runs_of_a_removed_schedule_go_on_and_do_not_overlap_with_a_new_one() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 18, every(10)).unwrap();
    sleep(secs(12)).await;
    tasks.unschedule("sync").unwrap();
    assert!(tasks.schedules().is_empty());
    assert_eq!(tasks.unschedule("sync").unwrap_err().kind, ErrorKind::UnknownSchedule);
    tasks.schedule("sync", "takes", 1, every(10)).unwrap();
    sleep(secs(21)).await;
    assert_eq!((runs(&tasks, "sync"), only(&tasks).skipped), (vec![10, 32], 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_replaced_schedule_does_not_delay_the_new_one() {
    let (tasks, _) = manager();
    tasks.schedule("sync", "takes", 20, every(10)).unwrap();
    let run = tasks.trigger("sync").unwrap();
    tasks.schedule("sync", "takes", 1, every(60)).unwrap();
    tasks.cancel(run.id()).unwrap();
    run.outcome().await;
    assert_eq!((only(&tasks).failures, only(&tasks).last_run, only(&tasks).running), (0, None, 0));
}

#[tokio::test(start_paused = true)]
async fn schedules_are_listed_by_name_and_begin_only_at_begin_schedules() {
    let (tasks, _) = manager();
    for name in ["b", "a"] {
        tasks.put_schedule(name, "takes", Json::new(&1).unwrap(), every(10)).unwrap();
    }
    tasks.trigger("b").unwrap();
    sleep(secs(60)).await;
    let told: Vec<_> = tasks.schedules().into_iter().map(|it| (it.name, it.next_run_at)).collect();
    assert_eq!(told, [("a".to_owned(), None), ("b".to_owned(), None)]);
    tasks.begin_schedules();
    sleep(secs(11)).await;
    assert_eq!((runs(&tasks, "a"), runs(&tasks, "b")), (vec![70], vec![0, 70]));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_can_not_run_is_refused_at_once() {
    let (tasks, _) = manager();
    let kind = |result: Result<(), crate::Error>| result.unwrap_err().kind;
    assert_eq!(kind(tasks.schedule("a", "nope", (), every(10))), ErrorKind::UnknownTask);
    assert_eq!(kind(tasks.schedule("a", "takes", "x", every(10))), ErrorKind::InvalidInput);
    assert_eq!(kind(tasks.schedule("a", "takes", 1, every(0))), ErrorKind::InvalidOptions);
    assert_eq!(kind(tasks.schedule("", "takes", 1, every(10))), ErrorKind::InvalidOptions);
    assert!(tasks.schedules().is_empty());
    let unknown = [tasks.pause_schedule("a"), tasks.resume_schedule("a"), tasks.trigger("a").map(drop)];
    for error in unknown.map(Result::unwrap_err) {
        assert_eq!(error.kind, ErrorKind::UnknownSchedule);
        assert!(error.message.contains("\"a\"") && error.message.contains("Builder::schedule"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_without_schedules_and_does_not_keep_the_manager() {
    let (tasks, _) = manager();
    let looks_on = || Handle::current().metrics().num_alive_tasks();
    assert_eq!(looks_on(), 0);
    for _ in 0..2 {
        tasks.schedule("sync", "takes", 1, every(10)).unwrap();
        tasks.schedule("more", "takes", 1, every(10)).unwrap();
        sleep(secs(1)).await;
        assert_eq!(looks_on(), 1);
        tasks.unschedule("sync").unwrap();
        tasks.unschedule("more").unwrap();
        sleep(secs(1)).await;
        assert_eq!(looks_on(), 0);
    }
    tasks.schedule("sync", "takes", 1, every(10)).unwrap();
    sleep(secs(1)).await;
    drop(tasks);
    sleep(secs(1)).await;
    assert_eq!(looks_on(), 0);
}

/// Lets a schedule of every 100 s go on for 90 s. Then its machine sleeps for so many seconds, or its runtime is held up for
/// as long. Returns how many runs there are after that, and how many were left out.
async fn disturbed(machine: &TestMachine, sleeps: bool, length: u64) -> (usize, u64) {
    let quick =
        Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(()));
    let tasks = manager_with([quick], Settings::default(), machine.clocks());
    tasks.schedule("sync", "quick", (), every(100)).unwrap();
    sleep(secs(90)).await;
    if sleeps {
        machine.sleep(secs(length)).await;
    } else {
        advance(secs(length)).await;
    }
    // A sleep is noticed by then.
    sleep(secs(30)).await;
    (tasks.list(&TaskFilter::default()).len(), only(&tasks).skipped)
}

#[tokio::test(start_paused = true)]
async fn a_busy_app_is_late_and_one_that_slept_has_missed_its_runs() {
    for machine in [TestMachine::new, TestMachine::whose_tokio_counts_sleep] {
        // Only there a runtime that is held up for long enough looks like a sleep.
        let looks_asleep = machine().counts_in_steps();
        for (sleeps, length, is_missed) in
            [(false, 80, false), (false, 300, looks_asleep), (false, 3_000, looks_asleep), (true, 300, true)]
        {
            let lines = log::Log::capture();
            let (ran, skipped) = disturbed(&machine(), sleeps, length).await;
            let due = (90 + length) / 100;
            let expected = if is_missed { (0, due) } else { (1, due - 1) };
            assert_eq!((ran, skipped), expected, "{length} s, sleeps: {sleeps}, steps: {looks_asleep}");
            let told = [
                lines.count("while the machine slept"),
                lines.count("or while the app's runtime was held up for minutes"),
                lines.count("the app was too busy"),
            ];
            let (slept, late) = (usize::from(is_missed), usize::from(!is_missed && due > 1));
            assert_eq!(told, [slept, if looks_asleep { slept } else { 0 }, late], "{lines:?}");
        }
    }
}
