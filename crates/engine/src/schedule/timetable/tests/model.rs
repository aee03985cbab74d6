//! Takes random schedules through random events, and checks what must hold for all of them.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum TimetableStep {
    /// This much time passes, then the driver looks.
    Pass(u64),
    /// Time passes as the driver waits: until the next run is due, but for 30 seconds at most.
    Rest,
    /// The clock is set back.
    Back(u64),
    /// One of the runs ends.
    End(TaskStatus),
    Trigger,
    Pause,
    Resume,
    /// The next due run is refused.
    Refuse,
}

fn steps() -> impl Strategy<Value = Vec<TimetableStep>> {
    let how = prop_oneof![
        3 => Just(TaskStatus::Completed),
        3 => Just(TaskStatus::Failed),
        1 => Just(TaskStatus::TimedOut),
        1 => Just(TaskStatus::Cancelled),
    ];
    let step = prop_oneof![
        12 => Just(TimetableStep::Rest),
        3 => (0..MINUTE).prop_map(TimetableStep::Pass),
        2 => (0..200 * HOUR).prop_map(TimetableStep::Pass),
        1 => prop_oneof![0..2 * MINUTE, 0..500 * HOUR].prop_map(TimetableStep::Back),
        8 => how.prop_map(TimetableStep::End),
        1 => Just(TimetableStep::Trigger),
        1 => Just(TimetableStep::Pause),
        2 => Just(TimetableStep::Resume),
        1 => Just(TimetableStep::Refuse),
    ];
    prop::collection::vec(step, 1..200)
}

/// Cron expressions that match at each multiple of an interval since 1970, with that interval.
const CRONS: [(&str, u64); 4] =
    [("*/10 * * * * *", 10 * SECOND), ("* * * * *", MINUTE), ("*/15 * * * *", 15 * MINUTE), ("0 * * * *", HOUR)];

prop_compose! {
    fn schedules()(
        interval in prop_oneof![Just(1), 1..100_u64, 100..100_000_u64],
        cron in prop::option::of(0..CRONS.len()),
        jitter in prop_oneof![Just(0), 0..1_000_000_u64],
        from_end: bool,
        at_once: bool,
        overlap: bool,
        once: bool,
        back_off in prop::option::of(1..1_000_u64),
    ) -> (Schedule, u64) {
        let (mut schedule, interval) = match cron {
            Some(number) => (Schedule::cron(CRONS[number].0).unwrap(), CRONS[number].1),
            None => (Schedule::every(secs(interval)), interval * SECOND),
        };
        schedule = schedule.jitter(Duration::from_millis(jitter));
        schedule.from_end = from_end && cron.is_none();
        schedule.at_once = at_once;
        schedule.overlap = overlap;
        schedule.missed = if once { Missed::Once } else { Missed::Skip };
        schedule.back_off = back_off.map(|delay| {
            Backoff::exponential().first_delay(secs(delay)).max_delay(secs(delay * 4)).jitter(false)
        });
        (schedule, interval)
    }
}

/// What a timetable must do, as seen from outside. `passed` is the time that has passed, whatever the clock shows.
struct TimetableModel {
    schedule: Schedule,
    interval: u64,
    now: u64,
    passed: u64,
    /// For each current run, oldest first, whether it was due, rather than triggered.
    running: Vec<bool>,
    failures: u32,
    paused: bool,
    refuse: bool,
    /// When it began or was last resumed, how many runs were due since, and how many of these at once.
    since: u64,
    due: u64,
    free: u64,
    /// When a due run last ended, and until when failures allow no run.
    last_end: u64,
    not_before: u64,
}

impl TimetableModel {
    fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    fn is_cron(&self) -> bool {
        matches!(self.schedule.when, When::Cron { .. })
    }

    /// Returns how many times the cron expression matches after `after`, up to `to`.
    fn times(&self, after: u64, to: u64) -> u64 {
        to / self.interval - after / self.interval
    }

    fn look(&mut self, timetable: &mut Timetable, random: f64) {
        timetable.see(self.now);
        let told = timetable.next();
        let due = timetable.look(self.now, &Utc, self.is_running(), random);
        let is_late = told.is_some_and(|at| at + LATE < self.now);
        match told.filter(|at| *at <= self.now) {
            None => assert_eq!(due, Due::Nothing, "nothing was announced"),
            Some(_) if is_late && self.schedule.missed == Missed::Skip => {
                let may_be_in_time = self.is_cron() && self.times(self.now - LATE - self.jitter() - 1, self.now) > 0;
                assert!(due == Due::Nothing || may_be_in_time, "it was missed: {due:?}");
            }
            Some(_) if self.is_running() && !self.schedule.overlap => assert_eq!(due, Due::Skip),
            Some(_) => assert_eq!(due, Due::Run),
        }
        if due != Due::Nothing {
            self.due += 1;
            self.check_not_early();
        }
        if due == Due::Run {
            assert!(self.schedule.overlap || !self.is_running(), "two at once");
            assert!(self.passed >= self.not_before, "the back-off is not over");
            if std::mem::take(&mut self.refuse) {
                timetable.refused(self.now, self.is_running(), random);
                self.last_end = self.passed;
            } else {
                self.running.push(true);
            }
        }
        assert_eq!(timetable.look(self.now, &Utc, self.is_running(), random), Due::Nothing, "no burst");
        self.check_next(timetable);
    }

    fn check_not_early(&self) {
        if self.is_cron() {
            return;
        }
        let paid = self.due.saturating_sub(self.free);
        assert!(
            self.passed >= self.since + paid * self.interval,
            "run {} after {}",
            self.due,
            self.passed - self.since
        );
        if self.schedule.from_end && paid > 0 {
            assert!(self.passed >= self.last_end + self.interval, "too early after the last end");
        }
    }

    fn jitter(&self) -> u64 {
        millis(self.schedule.jitter)
    }

    /// Checks that the announced next run is right, and not too far away.
    fn check_next(&self, timetable: &Timetable) {
        let waits_for_an_end = self.schedule.from_end && self.is_running();
        let Some(at) = timetable.next() else {
            assert!(self.paused || waits_for_an_end, "no next run is announced");
            return;
        };
        assert!(!self.paused);
        let longest = self.interval + self.jitter() + self.not_before.saturating_sub(self.passed);
        assert!(at > self.now && at <= self.now + longest + LATE, "in {} ms", at - self.now);
        if self.is_cron() && self.jitter() == 0 {
            assert_eq!(at % self.interval, 0);
        }
        assert_eq!(timetable.failures(), self.failures);
    }

    fn step(&mut self, timetable: &mut Timetable, step: &TimetableStep, random: f64) {
        match step {
            TimetableStep::Pass(time) => self.pass(*time),
            TimetableStep::Rest => {
                let rest = timetable.next().map_or(30 * SECOND, |at| at.saturating_sub(self.now));
                self.pass(rest.min(30 * SECOND));
            }
            TimetableStep::Back(time) => {
                let before = timetable.next().map(|at| at.saturating_sub(self.now));
                self.now -= (*time).min(self.now - 1_000);
                timetable.see(self.now);
                if let (Some(before), Some(after), false) = (before, timetable.next(), self.is_cron()) {
                    assert!(after <= self.now + before, "it waits no longer than before");
                }
            }
            TimetableStep::End(how) if self.is_running() => {
                let was_due = self.running.remove(0);
                match how {
                    TaskStatus::Completed => (self.failures, self.not_before) = (0, 0),
                    TaskStatus::Cancelled => {}
                    _ => {
                        self.failures += 1;
                        if let Some(back_off) = &self.schedule.back_off {
                            self.not_before = self.passed + millis(back_off.delay_after(self.failures));
                        }
                    }
                }
                timetable.ended(self.now, Some(*how), self.is_running(), random);
                if was_due {
                    self.last_end = self.passed;
                }
            }
            TimetableStep::Trigger if !self.is_running() || self.schedule.overlap => self.running.push(false),
            TimetableStep::End(_) | TimetableStep::Trigger => {}
            TimetableStep::Pause => {
                timetable.pause();
                self.paused = true;
            }
            TimetableStep::Resume => {
                timetable.resume(self.now, self.is_running(), random);
                if std::mem::take(&mut self.paused) {
                    (self.since, self.due, self.free) = (self.passed, 0, 0);
                }
            }
            TimetableStep::Refuse => self.refuse = true,
        }
        self.look(timetable, random);
    }

    fn pass(&mut self, time: u64) {
        self.now += time;
        self.passed += time;
    }
}

proptest! {
    #[test]
    fn runs_start_when_they_may_and_as_announced(
        (schedule, interval) in schedules(),
        steps in steps(),
        random in prop::collection::vec(0.0..1.0, 200),
    ) {
        let mut timetable = Timetable::new(schedule.clone());
        timetable.begin(START, false, random[0]);
        let free = u64::from(schedule.at_once);
        let mut model = TimetableModel {
            schedule, interval, now: START, passed: START, running: Vec::new(), failures: 0, paused: false, refuse: false,
            since: START, due: 0, free, last_end: START, not_before: 0,
        };
        model.look(&mut timetable, random[0]);
        for (step, random) in steps.iter().zip(random) {
            model.step(&mut timetable, step, random);
        }
    }

    #[test]
    fn a_cron_match_runs_at_the_next_look_and_only_once(
        number in 0..CRONS.len(),
        sleeps in prop::collection::vec(prop_oneof![0..MINUTE, 0..100 * HOUR], 1..100),
        once: bool,
    ) {
        let (expression, interval) = CRONS[number];
        let missed = if once { Missed::Once } else { Missed::Skip };
        let mut timetable = begun(Schedule::cron(expression).unwrap().missed(missed));
        let (mut now, mut last) = (START, START);
        for sleep in sleeps {
            now += sleep;
            // It matched after the last look and, if missed runs are skipped, at most a minute ago.
            let newest = now / interval * interval;
            let expected = newest > last && (once || now - newest <= LATE);
            prop_assert_eq!(timetable.at(now) == Due::Run, expected, "{} after {}", now, last);
            last = now;
        }
    }
}
