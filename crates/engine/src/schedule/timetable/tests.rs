mod model;

use std::time::Duration;

use chrono::{NaiveDate, Utc};
use chrono_tz::{Europe::Berlin, Tz};

use super::*;
use crate::Backoff;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// When most tests begin: late enough that clocks can be set back.
const START: u64 = 500_000 * HOUR;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A timetable that has begun at `START`.
fn begun(schedule: Schedule) -> Timetable {
    let mut timetable = Timetable::new(schedule);
    timetable.begin(START, false, 0.5);
    timetable
}

fn every_minute() -> Schedule {
    Schedule::every(secs(60))
}

impl Timetable {
    fn at(&mut self, now: u64) -> Due {
        self.look(now, &Utc, false, 0.5)
    }

    fn while_running(&mut self, now: u64) -> Due {
        self.look(now, &Utc, true, 0.5)
    }

    fn next(&self) -> Option<u64> {
        self.due_at(&Utc)
    }
}

#[test]
fn nothing_is_due_before_it_begins() {
    let mut timetable = Timetable::new(every_minute().at_once());
    assert_eq!((timetable.at(START), timetable.next()), (Due::Nothing, None));
    timetable.begin(START, false, 0.0);
    timetable.begin(START + 30 * SECOND, false, 0.0);
    assert_eq!(timetable.next(), Some(START), "it begins once");
}

#[test]
fn the_interval_counts_from_the_start_of_a_run_and_small_delays_do_not_add_up() {
    let mut timetable = begun(every_minute());
    assert_eq!((timetable.at(START + MINUTE - 1), timetable.next()), (Due::Nothing, Some(START + MINUTE)));
    assert_eq!((timetable.at(START + MINUTE + 7), timetable.next()), (Due::Run, Some(START + 2 * MINUTE)));
    assert_eq!((timetable.at(START + 2 * MINUTE + 9), timetable.next()), (Due::Run, Some(START + 3 * MINUTE)));
}

#[test]
fn the_first_run_may_be_at_once() {
    for schedule in [every_minute(), Schedule::cron("* * * * *").unwrap()] {
        let mut timetable = begun(schedule.at_once());
        assert_eq!((timetable.at(START), timetable.next()), (Due::Run, Some(START + MINUTE)));
    }
}

#[test]
fn the_first_run_is_at_once_whatever_the_jitter() {
    let mut timetable = begun(every_minute().at_once().jitter(secs(40)));
    assert_eq!((timetable.next(), timetable.at(START)), (Some(START), Due::Run));
    assert_eq!(timetable.next(), Some(START + MINUTE + 20 * SECOND));
}

#[test]
fn a_run_whose_jitter_ends_after_the_machine_wakes_is_not_missed() {
    let mut timetable = begun(Schedule::cron("0 * * * *").unwrap().jitter(secs(600)));
    assert_eq!(timetable.next(), Some(START + HOUR + 5 * MINUTE));
    // The run of one o'clock was missed, and that of two is due in a minute.
    assert_eq!(timetable.at(START + 2 * HOUR + 4 * MINUTE), Due::Nothing);
    assert_eq!(timetable.next(), Some(START + 2 * HOUR + 5 * MINUTE));
    assert_eq!(timetable.at(START + 2 * HOUR + 5 * MINUTE), Due::Run);
}

#[test]
fn the_interval_may_count_from_the_end_of_a_run() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!((timetable.at(START + MINUTE), timetable.next()), (Due::Run, None));
    assert_eq!(timetable.while_running(START + 5 * MINUTE), Due::Nothing);
    timetable.ended(START + 6 * MINUTE, Some(TaskStatus::Completed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 7 * MINUTE));
    assert_eq!(timetable.at(START + 7 * MINUTE), Due::Run);
    timetable.refused(START + 7 * MINUTE, false, 0.0);
    assert_eq!(timetable.next(), Some(START + 8 * MINUTE), "a refused run is over at once");
}

#[test]
fn an_interval_from_the_end_waits_for_the_end_of_a_triggered_run() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!((timetable.while_running(START + MINUTE), timetable.next()), (Due::Skip, None));
    timetable.ended(START + 90 * SECOND, None, false, 0.0);
    assert_eq!(timetable.next(), Some(START + 150 * SECOND));
}

#[test]
fn runs_that_may_overlap_do_not_wait_for_each_other() {
    assert_eq!(begun(every_minute()).while_running(START + MINUTE), Due::Skip);
    assert_eq!(begun(every_minute().overlap()).while_running(START + MINUTE), Due::Run);
}

#[test]
fn the_jitter_is_drawn_evenly_and_does_not_add_up() {
    let mut timetable = begun(every_minute().jitter(secs(20)));
    assert_eq!(timetable.next(), Some(START + 70 * SECOND));
    assert_eq!(timetable.look(START + 70 * SECOND, &Utc, false, 0.25), Due::Run);
    assert_eq!(timetable.next(), Some(START + 125 * SECOND));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().jitter(secs(20)));
    assert_eq!(timetable.next(), Some(START + 70 * SECOND));
    assert_eq!(timetable.look(START + 70 * SECOND, &Utc, false, 0.25), Due::Run);
    assert_eq!(timetable.next(), Some(START + 125 * SECOND));
}

// Sleep, and clocks that were set.

#[test]
fn runs_missed_during_sleep_are_left_out_or_made_up_for_once() {
    let wake = START + 10 * HOUR + 30 * SECOND;
    let mut skips = begun(Schedule::every(secs(3_600)));
    assert_eq!(
        (skips.at(START + 10 * HOUR + 5 * MINUTE), skips.next()),
        (Due::Nothing, Some(START + 11 * HOUR + 5 * MINUTE))
    );
    let mut once = begun(every_minute().missed(Missed::Once));
    assert_eq!((once.at(wake), once.next()), (Due::Run, Some(wake + MINUTE)));
    assert_eq!(once.at(wake), Due::Nothing);

    let daily = Schedule::cron("0 3 * * *").unwrap();
    let next = begun(daily.clone()).next().unwrap();
    let mut skips = begun(daily.clone());
    assert_eq!((skips.at(next + 50 * HOUR), skips.next()), (Due::Nothing, Some(next + 72 * HOUR)));
    let mut once = begun(daily.missed(Missed::Once));
    assert_eq!((once.at(next + 50 * HOUR), once.next()), (Due::Run, Some(next + 72 * HOUR)));
}

#[test]
fn the_last_of_many_missed_cron_matches_may_be_in_time() {
    let mut hourly = begun(Schedule::cron("0 * * * *").unwrap());
    assert_eq!(hourly.at(START + 9 * HOUR + 40 * SECOND), Due::Run, "40 seconds late is not missed");
    assert_eq!((hourly.at(START + 9 * HOUR + 40 * SECOND), hourly.next()), (Due::Nothing, Some(START + 10 * HOUR)));
}

#[test]
fn a_run_that_makes_up_for_missed_ones_does_not_overlap_either() {
    let mut once = begun(every_minute().missed(Missed::Once));
    assert_eq!(once.while_running(START + 10 * HOUR), Due::Skip);
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_an_interval() {
    let mut timetable = begun(every_minute());
    assert_eq!(timetable.at(START + 20 * SECOND), Due::Nothing);
    timetable.see(START - 500 * HOUR);
    assert_eq!(timetable.next(), Some(START - 500 * HOUR + 40 * SECOND));
}

#[test]
fn setting_the_clock_back_by_seconds_repeats_no_cron_match_but_by_half_an_hour_does() {
    let mut hourly = begun(Schedule::cron("0 * * * *").unwrap());
    assert_eq!(hourly.at(START + HOUR), Due::Run);
    assert_eq!((hourly.at(START + HOUR - 5 * SECOND), hourly.next()), (Due::Nothing, Some(START + 2 * HOUR)));
    assert_eq!((hourly.at(START + 30 * MINUTE), hourly.next()), (Due::Nothing, Some(START + HOUR)));
}

// Failures.

#[test]
fn failures_in_a_row_lengthen_the_wait_until_a_run_completes() {
    let backoff = Backoff::exponential().first_delay(secs(100)).max_delay(secs(500)).jitter(false);
    let mut timetable = begun(every_minute().back_off(backoff));
    let mut now = START + MINUTE;
    for (failures, delay) in [(1, 100), (2, 200), (3, 400), (4, 500), (5, 500)] {
        assert_eq!(timetable.at(now), Due::Run);
        timetable.ended(
            now,
            Some(if failures % 2 == 0 { TaskStatus::Failed } else { TaskStatus::TimedOut }),
            false,
            0.0,
        );
        now += delay * SECOND;
        assert_eq!((timetable.failures(), timetable.next()), (failures, Some(now)));
    }
    assert_eq!(timetable.at(now), Due::Run);
    timetable.ended(now, Some(TaskStatus::Cancelled), false, 0.0);
    assert_eq!(timetable.failures(), 5, "a cancelled run says nothing about the next");
    timetable.ended(now, Some(TaskStatus::Completed), false, 0.0);
    assert_eq!((timetable.failures(), timetable.next()), (0, Some(now + MINUTE)));
}

#[test]
fn a_cron_match_during_a_back_off_is_left_out() {
    let later = Backoff::constant(secs(150));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().back_off(later));
    assert_eq!(timetable.at(START + MINUTE), Due::Run);
    timetable.ended(START + MINUTE, Some(TaskStatus::Failed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 4 * MINUTE));
    let exactly = Backoff::constant(secs(120));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().back_off(exactly));
    assert_eq!(timetable.at(START + MINUTE), Due::Run);
    timetable.ended(START + MINUTE, Some(TaskStatus::Failed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 3 * MINUTE));
}

#[test]
fn a_failure_of_a_replaced_schedule_does_not_count() {
    let mut timetable = begun(every_minute());
    timetable.ended(START, None, false, 0.0);
    assert_eq!(timetable.failures(), 0);
}

// Pauses.

#[test]
fn runs_due_during_a_pause_are_not_made_up_for() {
    for missed in [Missed::Skip, Missed::Once] {
        let mut timetable = begun(every_minute().at_once().missed(missed));
        timetable.pause();
        assert_eq!((timetable.at(START + HOUR), timetable.next()), (Due::Nothing, None));
        timetable.resume(START + HOUR, false, 0.0);
        timetable.resume(START + HOUR + 30 * SECOND, false, 0.0);
        assert_eq!(timetable.next(), Some(START + HOUR + MINUTE), "resuming again changes nothing");
    }
}

#[test]
fn a_schedule_paused_before_it_begins_stays_paused() {
    let mut timetable = Timetable::new(every_minute().at_once());
    timetable.pause();
    timetable.begin(START, false, 0.0);
    assert_eq!(timetable.next(), None);
    timetable.resume(START + HOUR, false, 0.0);
    assert_eq!(timetable.next(), Some(START + HOUR + MINUTE));
    let mut timetable = Timetable::new(every_minute());
    timetable.pause();
    timetable.resume(START, false, 0.0);
    assert_eq!(timetable.next(), None, "it has not begun");
    timetable.begin(START, false, 0.0);
    assert_eq!(timetable.next(), Some(START + MINUTE));
}

#[test]
fn after_a_pause_during_a_run_the_interval_counts_from_its_end() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!(timetable.at(START + MINUTE), Due::Run);
    timetable.pause();
    timetable.resume(START + HOUR, true, 0.0);
    assert_eq!(timetable.next(), None);
    timetable.ended(START + 2 * HOUR, Some(TaskStatus::Completed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 2 * HOUR + MINUTE));
}

// Local time.

/// Formats a time as a clock in Berlin shows it, with its offset.
fn shown(at: u64) -> String {
    Berlin.timestamp_millis_opt(at.try_into().unwrap()).unwrap().format("%m-%d %H:%M %Z").to_string()
}

fn berlin(year: i32, month: u32, day: u32) -> u64 {
    let midnight = NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap();
    midnight.and_local_timezone(Berlin).unwrap().timestamp_millis().try_into().unwrap()
}

/// Returns all runs within two days from midnight. Like the driver, it looks every 30 seconds and when a run is
/// due.
fn runs(cron: &str, zone: Tz, midnight: u64) -> Vec<String> {
    let mut timetable = Timetable::new(Schedule::cron(cron).unwrap());
    timetable.begin(midnight, false, 0.0);
    let (mut now, mut runs) = (midnight, Vec::new());
    while now < midnight + 48 * HOUR {
        now = timetable.due_at(&zone).unwrap().min(now + 30 * SECOND);
        if timetable.look(now, &zone, false, 0.0) == Due::Run {
            runs.push(shown(now));
        }
    }
    runs
}

#[test]
fn a_time_that_the_clocks_skip_runs_at_the_end_of_the_gap() {
    let gap = berlin(2026, 3, 29);
    assert_eq!(runs("30 2 * * *", Berlin, gap), ["03-29 03:00 CEST", "03-30 02:30 CEST"]);
    assert_eq!(runs("0 2 * * *", Berlin, gap), ["03-29 03:00 CEST", "03-30 02:00 CEST"]);
    assert_eq!(runs("0 3 * * *", Berlin, gap), ["03-29 03:00 CEST", "03-30 03:00 CEST"]);
    assert_eq!(runs("30 1 * * *", Berlin, gap), ["03-29 01:30 CET", "03-30 01:30 CEST"], "once, before the gap");
}

#[test]
fn a_time_that_the_clocks_show_twice_runs_once() {
    let fold = berlin(2026, 10, 25);
    assert_eq!(runs("30 2 * * *", Berlin, fold), ["10-25 02:30 CEST", "10-26 02:30 CET"]);
    assert_eq!(runs("0 3 * * *", Berlin, fold), ["10-25 03:00 CET", "10-26 03:00 CET"]);
}

#[test]
fn a_half_hourly_schedule_continues_through_a_gap_and_a_fold() {
    let of_the_day = |midnight, hours: u64| {
        let mut timetable = Timetable::new(Schedule::cron("*/30 * * * *").unwrap());
        timetable.begin(midnight - 1, false, 0.0);
        let mut times = Vec::new();
        while let Some(at) = timetable.due_at(&Berlin).filter(|at| *at < midnight + hours * HOUR) {
            assert_eq!(timetable.look(at, &Berlin, false, 0.0), Due::Run);
            times.push(at);
        }
        times
    };
    for (midnight, hours, many) in [(berlin(2026, 3, 29), 23, 46), (berlin(2026, 10, 25), 25, 50)] {
        let times = of_the_day(midnight, hours);
        assert_eq!(times.len(), many);
        assert!(times.windows(2).all(|two| two[1] - two[0] == 30 * MINUTE));
    }
}

#[test]
fn the_next_run_follows_the_time_zone() {
    let midnight = berlin(2026, 6, 1);
    let mut timetable = Timetable::new(Schedule::cron("0 9 * * *").unwrap());
    timetable.begin(midnight, false, 0.0);
    assert_eq!(timetable.due_at(&Berlin), Some(midnight + 9 * HOUR));
    assert_eq!(timetable.due_at(&chrono_tz::America::New_York), Some(midnight + 15 * HOUR));
}
