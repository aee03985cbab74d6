//! Takes random schedules through random events, and checks what must hold for all of them.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum TimetableStep {
    /// This much time passes while the app is busy, then the driver looks.
    Pass(u64),
    /// The machine sleeps for this long, then the driver looks.
    Sleep(u64),
    /// Time passes as the driver waits: until the next run is due, but for 30 seconds at most.
    Rest,
    /// The clock is set back.
    Back(u64),
    /// The clock is set forward.
    Forward(u64),
    /// Starts are held off for this many looks.
    HoldOff(u32),
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
        1 => (0..200 * HOUR).prop_map(TimetableStep::Pass),
        2 => prop_oneof![0..2 * MINUTE, 0..200 * HOUR].prop_map(TimetableStep::Sleep),
        1 => prop_oneof![0..2 * MINUTE, 0..500 * HOUR].prop_map(TimetableStep::Back),
        1 => prop_oneof![0..2 * MINUTE, 0..500 * HOUR].prop_map(TimetableStep::Forward),
        1 => (1..20_u32).prop_map(TimetableStep::HoldOff),
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

/// What a timetable must do, as seen from outside.
struct TimetableModel {
    schedule: Schedule,
    interval: u64,
    now: Now,
    /// What the clocks showed at the last look.
    looked: Now,
    /// Runs were due and held off.
    owed: bool,
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

    /// Returns the clock that the next run follows.
    fn own(&self, now: Now) -> u64 {
        if self.is_cron() { now.wall } else { now.elapsed }
    }

    /// Returns whether the time of a run that is so late may have passed in a sleep or when the clock was set.
    fn may_be_missed(&self, late: u64) -> bool {
        let passed = self.own(self.now).saturating_sub(self.own(self.looked));
        let jumped = passed.saturating_sub(self.now.awake - self.looked.awake);
        !self.owed && late.min(jumped) > LATE
    }

    fn look(&mut self, timetable: &mut Timetable, random: f64, may_start: bool) {
        timetable.see(self.now);
        let due_in = timetable.due_in(self.now, &Utc);
        let late = due_in.filter(|due| *due <= 0).map(i64::unsigned_abs);
        if !may_start {
            let due = timetable.look_on(self.now, &Utc, random);
            assert!(matches!(due, Due::Nothing | Due::Missed { .. }));
            self.owed |= late.is_some() && due == Due::Nothing;
            self.looked = self.now;
            return;
        }
        let due = timetable.look(self.now, &Utc, self.is_running(), random);
        let is_missed = late.is_some_and(|late| self.may_be_missed(late));
        let overlaps = self.is_running() && !self.schedule.overlap;
        match (late, due) {
            (None, _) => assert_eq!(due, Due::Nothing, "nothing was announced"),
            (Some(_), Due::Missed { left_out }) => {
                assert!(is_missed && self.schedule.missed == Missed::Skip && left_out > 0, "it was only late");
            }
            (Some(_), Due::Overlap { left_out }) => assert!(overlaps && left_out > 0),
            (Some(_), Due::Run { .. }) => {
                assert!(!overlaps, "two at once");
                // Of several missed matches, the last may be in time.
                let may_run = !is_missed || self.schedule.missed == Missed::Once || self.is_cron();
                assert!(may_run, "it was missed");
            }
            (Some(_), Due::Nothing) => panic!("a run is lost"),
        }
        (self.looked, self.owed) = (self.now, false);
        if matches!(due, Due::Run { .. } | Due::Overlap { .. }) {
            self.due += 1;
            self.check_not_early();
        }
        if matches!(due, Due::Run { .. }) {
            assert!(self.now.elapsed >= self.not_before, "the back-off is not over");
            if std::mem::take(&mut self.refuse) {
                timetable.refused(self.now, self.is_running(), random);
                self.last_end = self.now.elapsed;
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
            self.now.elapsed >= self.since + paid * self.interval,
            "run {} after {}",
            self.due,
            self.now.elapsed - self.since
        );
        if self.schedule.from_end && paid > 0 {
            assert!(self.now.elapsed >= self.last_end + self.interval, "too early after the last end");
        }
    }

    fn jitter(&self) -> u64 {
        millis(self.schedule.jitter)
    }

    /// Checks that the announced next run is right, and not too far away.
    fn check_next(&self, timetable: &Timetable) {
        let waits_for_an_end = self.schedule.from_end && self.is_running();
        let Some(due_in) = timetable.due_in(self.now, &Utc) else {
            assert!(self.paused || waits_for_an_end, "no next run is announced");
            return;
        };
        assert!(!self.paused);
        let longest = self.interval + self.jitter() + self.not_before.saturating_sub(self.now.elapsed);
        assert!(due_in > 0 && due_in.unsigned_abs() <= longest + LATE, "in {due_in} ms");
        if self.is_cron() && self.jitter() == 0 && self.due >= self.free {
            assert_eq!((self.now.wall + due_in.unsigned_abs()) % self.interval, 0);
        }
        assert_eq!(timetable.failures(), self.failures);
    }

    fn step(&mut self, timetable: &mut Timetable, step: &TimetableStep, random: f64) {
        match step {
            TimetableStep::Pass(time) => self.pass(*time),
            TimetableStep::Sleep(time) => self.sleep(*time),
            TimetableStep::Rest => {
                let rest = timetable.due_in(self.now, &Utc).map_or(30_000, |due| due.max(0).unsigned_abs());
                self.pass(rest.min(30 * SECOND));
            }
            TimetableStep::Back(time) => {
                let before = timetable.due_in(self.now, &Utc);
                self.now.wall -= (*time).min(self.now.wall - 1_000);
                timetable.see(self.now);
                if !self.is_cron() {
                    assert_eq!(timetable.due_in(self.now, &Utc), before, "an interval ignores the clock");
                }
            }
            TimetableStep::Forward(time) => {
                let before = timetable.due_in(self.now, &Utc);
                self.now.wall += time;
                if !self.is_cron() {
                    assert_eq!(timetable.due_in(self.now, &Utc), before, "an interval ignores the clock");
                }
            }
            TimetableStep::HoldOff(looks) => {
                for _ in 0..*looks {
                    self.pass(30 * SECOND);
                    self.look(timetable, random, false);
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
                            self.not_before = self.now.elapsed + millis(back_off.delay_after(self.failures));
                        }
                    }
                }
                timetable.ended(self.now, Some(*how), self.is_running(), random);
                if was_due {
                    self.last_end = self.now.elapsed;
                }
            }
            TimetableStep::Trigger if !self.is_running() || self.schedule.overlap => self.running.push(false),
            TimetableStep::End(_) | TimetableStep::Trigger => {}
            TimetableStep::Pause => {
                timetable.pause();
                (self.paused, self.owed) = (true, false);
            }
            TimetableStep::Resume => {
                timetable.resume(self.now, self.is_running(), random);
                if std::mem::take(&mut self.paused) {
                    (self.since, self.due, self.free) = (self.now.elapsed, 0, 0);
                    self.looked = self.now;
                }
            }
            TimetableStep::Refuse => self.refuse = true,
        }
        self.look(timetable, random, true);
    }

    fn pass(&mut self, time: u64) {
        self.sleep(time);
        self.now.awake += time;
    }

    fn sleep(&mut self, time: u64) {
        self.now.wall += time;
        self.now.elapsed += time;
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
        timetable.begin(awake(START), false, random[0]);
        let free = u64::from(schedule.at_once);
        let mut model = TimetableModel {
            schedule, interval, now: awake(START), looked: awake(START), owed: false,
            running: Vec::new(), failures: 0, paused: false, refuse: false,
            since: START, due: 0, free, last_end: START, not_before: 0,
        };
        model.look(&mut timetable, random[0], true);
        for (step, random) in steps.iter().zip(random) {
            model.step(&mut timetable, step, random);
        }
    }

    #[test]
    fn a_cron_match_runs_at_the_next_look_and_only_once(
        number in 0..CRONS.len(),
        sleeps in prop::collection::vec((prop_oneof![Just(0), 0..50_u64], 0..MINUTE), 1..30),
        once: bool,
    ) {
        let (expression, interval) = CRONS[number];
        let missed = if once { Missed::Once } else { Missed::Skip };
        let mut timetable = begun(Schedule::cron(expression).unwrap().missed(missed));
        let (mut now, mut last) = (START, START);
        for (intervals, more) in sleeps {
            now += intervals * interval + more;
            // It matched after the last look and, if missed runs are skipped, at most a minute ago.
            let newest = now / interval * interval;
            let expected = newest > last && (once || now - newest <= LATE);
            prop_assert_eq!(matches!(timetable.at(now), Due::Run { .. }), expected, "{} after {}", now, last);
            last = now;
        }
    }
}
