mod model;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
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
    timetable.begin(asleep(START), false, 0.5);
    timetable
}

fn begun_awake(schedule: Schedule) -> Timetable {
    let mut timetable = Timetable::new(schedule);
    timetable.begin(awake(START), false, 0.5);
    timetable
}

fn every_minute() -> Schedule {
    Schedule::every(secs(60))
}

/// The clocks at a time before which the machine has slept: the time in which it was awake stands still.
fn asleep(time: u64) -> Now {
    Now { wall: time, elapsed: time, awake: 0 }
}

/// The clocks at a time before which the machine was awake.
fn awake(time: u64) -> Now {
    Now { wall: time, elapsed: time, awake: time }
}

/// Starts a run and leaves out none.
const RUN: Due = Due::Run { left_out: 0 };
/// Leaves out one run because another has not ended.
const OVERLAP: Due = Due::Overlap { left_out: 1 };

impl Timetable {
    fn at(&mut self, now: u64) -> Due {
        self.look(asleep(now), &Utc, false, 0.5)
    }

    fn while_running(&mut self, now: u64) -> Due {
        self.look(asleep(now), &Utc, true, 0.5)
    }

    fn next(&self) -> Option<u64> {
        self.due_at(&Utc)
    }

    fn due_at(&self, zone: &impl TimeZone) -> Option<u64> {
        self.due_in(asleep(START), zone).map(|due| START.saturating_add_signed(due))
    }
}

#[test]
fn nothing_is_due_before_it_begins() {
    let mut timetable = Timetable::new(every_minute().at_once());
    assert_eq!((timetable.at(START), timetable.next()), (Due::Nothing, None));
    timetable.begin(asleep(START), false, 0.0);
    timetable.begin(asleep(START + 30 * SECOND), false, 0.0);
    assert_eq!(timetable.next(), Some(START), "it begins once");
}

#[test]
fn the_interval_counts_from_the_start_of_a_run_and_small_delays_do_not_add_up() {
    let mut timetable = begun(every_minute());
    assert_eq!((timetable.at(START + MINUTE - 1), timetable.next()), (Due::Nothing, Some(START + MINUTE)));
    assert_eq!((timetable.at(START + MINUTE + 7), timetable.next()), (RUN, Some(START + 2 * MINUTE)));
    assert_eq!((timetable.at(START + 2 * MINUTE + 9), timetable.next()), (RUN, Some(START + 3 * MINUTE)));
}

#[test]
fn the_first_run_may_be_at_once() {
    for schedule in [every_minute(), Schedule::cron("* * * * *").unwrap()] {
        let mut timetable = begun(schedule.at_once());
        assert_eq!((timetable.at(START), timetable.next()), (RUN, Some(START + MINUTE)));
    }
}

#[test]
fn the_first_run_is_at_once_whatever_the_jitter() {
    let mut timetable = begun(every_minute().at_once().jitter(secs(40)));
    assert_eq!((timetable.next(), timetable.at(START)), (Some(START), RUN));
    assert_eq!(timetable.next(), Some(START + MINUTE + 20 * SECOND));
}

#[test]
fn a_run_whose_jitter_ends_after_the_machine_wakes_is_not_missed() {
    let mut timetable = begun(Schedule::cron("0 * * * *").unwrap().jitter(secs(600)));
    assert_eq!(timetable.next(), Some(START + HOUR + 5 * MINUTE));
    // The run of one o'clock was missed, and that of two is due in a minute.
    assert_eq!(timetable.at(START + 2 * HOUR + 4 * MINUTE), Due::Missed { left_out: 1 });
    assert_eq!(timetable.next(), Some(START + 2 * HOUR + 5 * MINUTE));
    assert_eq!(timetable.at(START + 2 * HOUR + 5 * MINUTE), RUN);
}

#[test]
fn the_interval_may_count_from_the_end_of_a_run() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!((timetable.at(START + MINUTE), timetable.next()), (RUN, None));
    assert_eq!(timetable.while_running(START + 5 * MINUTE), Due::Nothing);
    timetable.ended(asleep(START + 6 * MINUTE), Some(TaskStatus::Completed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 7 * MINUTE));
    assert_eq!(timetable.at(START + 7 * MINUTE), RUN);
    timetable.refused(asleep(START + 7 * MINUTE), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 8 * MINUTE), "a refused run is over at once");
}

#[test]
fn an_interval_from_the_end_waits_for_the_end_of_a_triggered_run() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!((timetable.while_running(START + MINUTE), timetable.next()), (OVERLAP, None));
    timetable.ended(asleep(START + 90 * SECOND), None, false, 0.0);
    assert_eq!(timetable.next(), Some(START + 150 * SECOND));
}

#[test]
fn runs_that_may_overlap_do_not_wait_for_each_other() {
    assert_eq!(begun(every_minute()).while_running(START + MINUTE), OVERLAP);
    assert_eq!(begun(every_minute().overlap()).while_running(START + MINUTE), RUN);
}

#[test]
fn the_jitter_is_drawn_evenly_and_does_not_add_up() {
    let mut timetable = begun(every_minute().jitter(secs(20)));
    assert_eq!(timetable.next(), Some(START + 70 * SECOND));
    assert_eq!(timetable.look(asleep(START + 70 * SECOND), &Utc, false, 0.25), RUN);
    assert_eq!(timetable.next(), Some(START + 125 * SECOND));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().jitter(secs(20)));
    assert_eq!(timetable.next(), Some(START + 70 * SECOND));
    assert_eq!(timetable.look(asleep(START + 70 * SECOND), &Utc, false, 0.25), RUN);
    assert_eq!(timetable.next(), Some(START + 125 * SECOND));
}

// Sleep, and clocks that were set.

#[test]
fn runs_missed_during_sleep_are_left_out_or_made_up_for_once() {
    let wake = START + 10 * HOUR + 30 * SECOND;
    let mut skips = begun(Schedule::every(secs(3_600)));
    assert_eq!(
        (skips.at(START + 10 * HOUR + 5 * MINUTE), skips.next()),
        (Due::Missed { left_out: 10 }, Some(START + 11 * HOUR + 5 * MINUTE))
    );
    let mut once = begun(every_minute().missed(Missed::Once));
    assert_eq!((once.at(wake), once.next()), (RUN, Some(wake + MINUTE)));
    assert_eq!(once.at(wake), Due::Nothing);

    let daily = Schedule::cron("0 3 * * *").unwrap();
    let next = begun(daily.clone()).next().unwrap();
    let mut skips = begun(daily.clone());
    assert_eq!((skips.at(next + 50 * HOUR), skips.next()), (Due::Missed { left_out: 3 }, Some(next + 72 * HOUR)));
    let mut once = begun(daily.missed(Missed::Once));
    assert_eq!((once.at(next + 50 * HOUR), once.next()), (RUN, Some(next + 72 * HOUR)));
}

#[test]
fn the_last_of_many_missed_cron_matches_may_be_in_time() {
    let mut hourly = begun(Schedule::cron("0 * * * *").unwrap());
    let run = Due::Run { left_out: 8 };
    assert_eq!(hourly.at(START + 9 * HOUR + 40 * SECOND), run, "40 seconds late is not missed");
    assert_eq!((hourly.at(START + 9 * HOUR + 40 * SECOND), hourly.next()), (Due::Nothing, Some(START + 10 * HOUR)));
}

#[test]
fn a_run_that_makes_up_for_missed_ones_does_not_overlap_either() {
    let mut once = begun(every_minute().missed(Missed::Once));
    assert_eq!(once.while_running(START + 10 * HOUR), Due::Overlap { left_out: 600 });
}

#[test]
fn what_is_left_out_of_a_dense_cron_expression_is_counted_up_to_a_limit() {
    let mut each_second = begun(Schedule::cron("* * * * * *").unwrap());
    let left_out = u64::try_from(COUNTED).unwrap() + 59;
    assert_eq!(each_second.at(START + 10 * HOUR), Due::Run { left_out });
}

#[test]
fn an_interval_and_a_back_off_ignore_a_clock_that_is_set() {
    for wall in [START - 500 * HOUR, START + 500 * HOUR] {
        let mut timetable = begun(every_minute().back_off(Backoff::constant(secs(90))));
        let at = |time: u64| Now { wall, elapsed: START + time, awake: START + time };
        assert_eq!(timetable.look(at(59 * SECOND), &Utc, false, 0.5), Due::Nothing);
        assert_eq!(timetable.due_in(at(59 * SECOND), &Utc), Some(1_000));
        assert_eq!(timetable.look(at(MINUTE), &Utc, false, 0.5), RUN);
        timetable.ended(at(MINUTE), Some(TaskStatus::Failed), false, 0.5);
        assert_eq!(timetable.due_in(at(MINUTE), &Utc), Some(90_000));
    }
}

#[test]
fn matches_that_a_clock_set_forward_jumps_over_are_missed() {
    let set = |to: u64| Now { wall: to, elapsed: START + MINUTE, awake: START + MINUTE };
    let mut skips = begun_awake(Schedule::cron("30 * * * *").unwrap());
    let missed = Due::Missed { left_out: 5 };
    assert_eq!(skips.look(set(START + 5 * HOUR), &Utc, false, 0.5), missed);
    let mut once = begun_awake(Schedule::cron("30 * * * *").unwrap().missed(Missed::Once));
    assert_eq!(once.look(set(START + 5 * HOUR), &Utc, false, 0.5), RUN);
}

// Runs that are held up.

#[test]
fn a_run_that_a_busy_app_holds_up_is_late_and_what_it_passes_over_is_counted() {
    for schedule in [every_minute(), Schedule::cron("* * * * *").unwrap()] {
        let mut timetable = begun_awake(schedule);
        let late = START + 10 * MINUTE + 30 * SECOND;
        assert_eq!(timetable.look(awake(late), &Utc, false, 0.5), Due::Run { left_out: 9 });
        assert_eq!(timetable.look(awake(late), &Utc, false, 0.5), Due::Nothing, "no burst");
    }
    let mut hourly = begun_awake(Schedule::cron("0 * * * *").unwrap());
    assert_eq!(hourly.look(awake(START + HOUR + 50 * MINUTE), &Utc, false, 0.5), RUN);
    let mut from_end = begun_awake(every_minute().from_end());
    assert_eq!(from_end.look(awake(START + 10 * MINUTE), &Utc, false, 0.5), RUN);
}

#[test]
fn a_run_that_is_due_while_starts_are_held_off_starts_once_they_are_not() {
    for schedule in [every_minute(), Schedule::cron("* * * * *").unwrap()] {
        let mut timetable = begun_awake(schedule);
        for time in 1..=7 {
            assert_eq!(timetable.look_on(awake(START + time * 30 * SECOND), &Utc, 0.5), Due::Nothing);
        }
        // The machine sleeps in the meantime.
        let wakes = Now { wall: START + 2 * HOUR, elapsed: START + 2 * HOUR, awake: START + 4 * MINUTE };
        assert_eq!(timetable.look_on(wakes, &Utc, 0.5), Due::Nothing);
        assert_eq!(timetable.look(wakes, &Utc, false, 0.5), Due::Run { left_out: 119 });
        assert_eq!(timetable.look(wakes, &Utc, false, 0.5), Due::Nothing);
    }
}

#[test]
fn a_run_that_is_missed_while_starts_are_held_off_is_left_out() {
    for schedule in [Schedule::every(secs(3_600)), Schedule::cron("0 * * * *").unwrap()] {
        let mut timetable = begun_awake(schedule);
        let wakes = |time: u64| Now { wall: START + time, elapsed: START + time, awake: START + MINUTE };
        let missed = Due::Missed { left_out: 1 };
        assert_eq!(timetable.look_on(wakes(90 * MINUTE), &Utc, 0.5), missed);
        assert_eq!(timetable.look(wakes(90 * MINUTE), &Utc, false, 0.5), Due::Nothing);
    }
}

#[test]
fn a_run_whose_start_is_held_up_at_the_last_moment_stays_due() {
    for schedule in [every_minute(), every_minute().from_end(), Schedule::cron("* * * * *").unwrap()] {
        let mut timetable = begun_awake(schedule);
        assert_eq!(timetable.look(awake(START + MINUTE), &Utc, false, 0.5), RUN);
        timetable.held_up();
        assert_eq!(timetable.look_on(awake(START + 90 * SECOND), &Utc, 0.5), Due::Nothing);
        assert_eq!(timetable.look(awake(START + 90 * SECOND), &Utc, false, 0.5), RUN);
    }
}

#[test]
fn nothing_is_owed_after_a_pause() {
    let mut timetable = begun_awake(every_minute());
    timetable.look_on(awake(START + MINUTE), &Utc, 0.5);
    timetable.pause();
    timetable.resume(awake(START + 90 * SECOND), false, 0.5);
    assert_eq!(timetable.look(awake(START + 2 * MINUTE), &Utc, false, 0.5), Due::Nothing);
}

#[test]
fn setting_the_clock_back_by_seconds_repeats_no_cron_match_but_by_half_an_hour_does() {
    let mut hourly = begun(Schedule::cron("0 * * * *").unwrap());
    assert_eq!(hourly.at(START + HOUR), RUN);
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
        assert_eq!(timetable.at(now), RUN);
        timetable.ended(
            asleep(now),
            Some(if failures % 2 == 0 { TaskStatus::Failed } else { TaskStatus::TimedOut }),
            false,
            0.0,
        );
        now += delay * SECOND;
        assert_eq!((timetable.failures(), timetable.next()), (failures, Some(now)));
    }
    assert_eq!(timetable.at(now), RUN);
    timetable.ended(asleep(now), Some(TaskStatus::Cancelled), false, 0.0);
    assert_eq!(timetable.failures(), 5, "a cancelled run says nothing about the next");
    timetable.ended(asleep(now), Some(TaskStatus::Completed), false, 0.0);
    assert_eq!((timetable.failures(), timetable.next()), (0, Some(now + MINUTE)));
}

#[test]
fn a_cron_match_during_a_back_off_is_left_out() {
    let later = Backoff::constant(secs(150));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().back_off(later));
    assert_eq!(timetable.at(START + MINUTE), RUN);
    timetable.ended(asleep(START + MINUTE), Some(TaskStatus::Failed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 4 * MINUTE));
    let exactly = Backoff::constant(secs(120));
    let mut timetable = begun(Schedule::cron("* * * * *").unwrap().back_off(exactly));
    assert_eq!(timetable.at(START + MINUTE), RUN);
    timetable.ended(asleep(START + MINUTE), Some(TaskStatus::Failed), false, 0.0);
    assert_eq!(timetable.next(), Some(START + 3 * MINUTE));
}

#[test]
fn a_failure_of_a_replaced_schedule_does_not_count() {
    let mut timetable = begun(every_minute());
    timetable.ended(asleep(START), None, false, 0.0);
    assert_eq!(timetable.failures(), 0);
}

// Pauses.

#[test]
fn runs_due_during_a_pause_are_not_made_up_for() {
    for missed in [Missed::Skip, Missed::Once] {
        let mut timetable = begun(every_minute().at_once().missed(missed));
        timetable.pause();
        assert_eq!((timetable.at(START + HOUR), timetable.next()), (Due::Nothing, None));
        timetable.resume(asleep(START + HOUR), false, 0.0);
        timetable.resume(asleep(START + HOUR + 30 * SECOND), false, 0.0);
        assert_eq!(timetable.next(), Some(START + HOUR + MINUTE), "resuming again changes nothing");
    }
}

#[test]
fn a_schedule_paused_before_it_begins_stays_paused() {
    let mut timetable = Timetable::new(every_minute().at_once());
    timetable.pause();
    timetable.begin(asleep(START), false, 0.0);
    assert_eq!(timetable.next(), None);
    timetable.resume(asleep(START + HOUR), false, 0.0);
    assert_eq!(timetable.next(), Some(START + HOUR + MINUTE));
    let mut timetable = Timetable::new(every_minute());
    timetable.pause();
    timetable.resume(asleep(START), false, 0.0);
    assert_eq!(timetable.next(), None, "it has not begun");
    timetable.begin(asleep(START), false, 0.0);
    assert_eq!(timetable.next(), Some(START + MINUTE));
}

#[test]
fn after_a_pause_during_a_run_the_interval_counts_from_its_end() {
    let mut timetable = begun(every_minute().from_end());
    assert_eq!(timetable.at(START + MINUTE), RUN);
    timetable.pause();
    timetable.resume(asleep(START + HOUR), true, 0.0);
    assert_eq!(timetable.next(), None);
    timetable.ended(asleep(START + 2 * HOUR), Some(TaskStatus::Completed), false, 0.0);
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
    timetable.begin(asleep(midnight), false, 0.0);
    let (mut now, mut runs) = (midnight, Vec::new());
    while now < midnight + 48 * HOUR {
        now = timetable.due_at(&zone).unwrap().min(now + 30 * SECOND);
        if timetable.look(asleep(now), &zone, false, 0.0) == RUN {
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
        timetable.begin(asleep(midnight - 1), false, 0.0);
        let mut times = Vec::new();
        while let Some(at) = timetable.due_at(&Berlin).filter(|at| *at < midnight + hours * HOUR) {
            assert_eq!(timetable.look(asleep(at), &Berlin, false, 0.0), RUN);
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
fn a_time_that_a_new_time_zone_jumps_over_is_missed_and_not_late() {
    let midnight = berlin(2026, 6, 1);
    for (missed, due) in [(Missed::Skip, Due::Missed { left_out: 1 }), (Missed::Once, RUN)] {
        let mut timetable = Timetable::new(Schedule::cron("0 9 * * *").unwrap().missed(missed));
        timetable.begin(awake(midnight), false, 0.0);
        assert_eq!(timetable.look(awake(midnight + 30 * SECOND), &Berlin, false, 0.0), Due::Nothing);
        // It is seven in Berlin, and half past ten in Kolkata.
        let arrives = awake(midnight + 7 * HOUR);
        assert_eq!(timetable.look(arrives, &chrono_tz::Asia::Kolkata, false, 0.0), due);
    }
}

/// What is due three minutes after the local time changes at `change` by itself, if the last look was ten seconds before
/// that and the app ran all the time.
fn due_after(change: &str, zone: Tz, cron: &str, missed: Missed) -> Due {
    let change = u64::try_from(DateTime::parse_from_rfc3339(change).unwrap().timestamp_millis()).unwrap();
    let (before, after) = (change - 10 * SECOND, change + 3 * MINUTE);
    assert_ne!(offset(before, &zone), offset(after, &zone), "{zone} changes");
    let mut timetable = Timetable::new(Schedule::cron(cron).unwrap().missed(missed));
    timetable.begin(awake(before - 10 * SECOND), false, 0.0);
    assert_eq!(timetable.look(awake(before), &zone, false, 0.0), Due::Nothing);
    timetable.look(awake(after), &zone, false, 0.0)
}

#[test]
fn a_run_that_is_held_up_while_summer_time_begins_or_ends_is_late_and_not_missed() {
    let (spring, autumn) = ("2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z");
    for missed in [Missed::Skip, Missed::Once] {
        for cron in ["0 3 * * *", "30 2 * * *", "*/5 * * * *", "0 * * * *"] {
            assert_eq!(due_after(spring, Berlin, cron, missed), RUN, "{cron}");
        }
        for (change, zone) in [
            (autumn, Berlin),
            ("2026-03-08T07:00:00Z", Tz::America__New_York),
            ("2018-11-04T03:00:00Z", Tz::America__Sao_Paulo),
            ("2026-10-03T15:30:00Z", Tz::Australia__Lord_Howe),
            ("2026-04-04T15:00:00Z", Tz::Australia__Lord_Howe),
            ("2011-12-30T10:00:00Z", Tz::Pacific__Apia),
        ] {
            assert_eq!(due_after(change, zone, "*/30 * * * *", missed), RUN, "{zone}");
        }
    }
}

#[test]
fn a_new_time_zone_is_noticed_also_in_the_night_in_which_the_old_one_changes() {
    let midnight = berlin(2026, 3, 29);
    let mut timetable = Timetable::new(Schedule::cron("0 9 * * *").unwrap());
    timetable.begin(awake(midnight), false, 0.0);
    assert_eq!(timetable.look(awake(midnight + 30 * SECOND), &Berlin, false, 0.0), Due::Nothing);
    let missed = Due::Missed { left_out: 1 };
    assert_eq!(timetable.look(awake(midnight + 7 * HOUR), &chrono_tz::Asia::Kolkata, false, 0.0), missed);
}

#[test]
fn the_next_run_follows_the_time_zone() {
    let midnight = berlin(2026, 6, 1);
    let mut timetable = Timetable::new(Schedule::cron("0 9 * * *").unwrap());
    timetable.begin(asleep(midnight), false, 0.0);
    assert_eq!(timetable.due_at(&Berlin), Some(midnight + 9 * HOUR));
    assert_eq!(timetable.due_at(&chrono_tz::America::New_York), Some(midnight + 15 * HOUR));
}
