//! Each property of the estimate, swept over rates, lumps and moments. Times are in microseconds.

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000;
const TICK: u64 = SECOND / 4;

/// A counter, and the sampler that reads it.
struct Scene {
    begin: Instant,
    estimator: Estimator,
    /// What is reported: when, and the count.
    reports: std::vec::IntoIter<(u64, u64)>,
    next: Option<(u64, u64)>,
    count: u64,
    /// The time of the next sample; `None` while the counter is not sampled.
    sample_at: Option<u64>,
    /// The samples of all tasks are taken on one timer, so the first one may come at once.
    phase: u64,
}

impl Scene {
    fn new(reports: Vec<(u64, u64)>, phase: u64) -> Self {
        let mut reports = reports.into_iter();
        let next = reports.next();
        let (begin, estimator) = (Instant::now(), Estimator::default());
        Self { begin, estimator, reports, next, count: 0, sample_at: None, phase }
    }

    fn time(&self, at: u64) -> Instant {
        self.begin + Duration::from_micros(at)
    }

    /// Lets everything happen before this time, or also what happens at that very time.
    fn run_to(&mut self, end: u64, inclusive: bool) {
        let is_past = |at: u64| if inclusive { at > end } else { at >= end };
        loop {
            let report = self.next.filter(|(at, _)| !is_past(*at));
            let sample = self.sample_at.filter(|at| !is_past(*at));
            match (report, sample) {
                (Some((at, count)), sample) if sample.is_none_or(|sample| at <= sample) => {
                    (self.count, self.next) = (count, self.reports.next());
                    if self.sample_at.is_none() {
                        self.estimator.report(self.time(at), count);
                        self.sample_at =
                            Some(at - at % TICK + self.phase + if at % TICK < self.phase { 0 } else { TICK });
                    }
                }
                (_, Some(at)) => {
                    let now = self.time(at);
                    self.estimator.sample(now, self.count);
                    self.sample_at = (!self.estimator.is_silent(now)).then_some(at + TICK);
                }
                (_, None) => return,
            }
        }
    }

    fn rate(&mut self, at: u64) -> Option<f64> {
        self.run_to(at, false);
        self.estimator.rate(self.time(at))
    }

    fn time_left(&mut self, at: u64, total: u64) -> Option<u64> {
        self.run_to(at, false);
        self.estimator.time_left(self.time(at), float(total - self.count), float(total))
    }
}

/// Work at a constant rate from `begin` on, which is reported at these intervals.
fn steady(begin: u64, from: u64, per_second: f64, gaps: &[u64], until: u64) -> Vec<(u64, u64)> {
    let mut at = begin;
    let mut reports = Vec::new();
    for gap in gaps.iter().cycle() {
        if at > until {
            break;
        }
        reports.push((at, from + units(at - begin, per_second)));
        at += gap;
    }
    reports
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn units(micros: u64, per_second: f64) -> u64 {
    (float(micros) / 1e6 * per_second).round() as u64
}

fn is_within(actual: f64, expected: f64, tolerance: f64) -> bool {
    (actual / expected - 1.0).abs() <= tolerance
}

/// Intervals between reports: even ones, or lumps of any size.
fn gaps() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        (1_000_u64..=2 * SECOND).prop_map(|gap| vec![gap]),
        (1_000_u64..50_000).prop_map(|gap| vec![gap]),
        Just(vec![2 * SECOND]),
        prop::collection::vec(50_000_u64..=2 * SECOND, 5..40),
        prop::collection::vec(prop_oneof![1_000_u64..20_000, 1_900_000..=2 * SECOND], 5..40),
    ]
}

/// Rates of at least `least` units in each interval between reports, up to 10⁹ a second: the counter has no fractions.
fn rates(least: f64, gaps: &[u64]) -> impl Strategy<Value = f64> + use<> {
    let shortest = float(*gaps.iter().min().unwrap()) / 1e6;
    let slowest = (least / shortest).max(0.5).log10();
    (slowest..=9.0_f64.max(slowest)).prop_map(|exponent| 10.0_f64.powf(exponent))
}

fn rates_and_gaps() -> impl Strategy<Value = (f64, Vec<u64>)> {
    gaps().prop_flat_map(|gaps| (rates(20.0, &gaps), Just(gaps)))
}

/// Where the work begins.
fn starting_points() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1_u64..1_000, Just(900_000_000), Just(1 << 60)]
}

proptest! {
    #[test]
    fn a_constant_rate_is_there_soon_and_right_after_six_seconds(
        (rate, gaps) in rates_and_gaps(),
        from in starting_points(),
        begin in 0..2 * SECOND,
        phase in 0..TICK,
        looks in prop::collection::vec(0..30 * SECOND, 30),
    ) {
        let reports = steady(begin, from, rate, &gaps, 40 * SECOND);
        let (first, second) = (reports[0].0, reports[1].0);
        let mut looks: Vec<_> = looks.into_iter().map(|look| first + look).chain([second + SECOND, first + 6 * SECOND]).collect();
        looks.sort_unstable();
        let total = from + units(1_000 * SECOND, rate);
        let mut scene = Scene::new(reports, phase);
        for look in looks {
            let (shown, left) = (scene.rate(look), scene.time_left(look, total));
            if look >= second + SECOND {
                prop_assert!(shown.is_some() && left.is_some(), "none at {look}");
            }
            if look >= first + 6 * SECOND {
                let shown = shown.unwrap();
                prop_assert!(is_within(shown, rate, 0.1), "{shown} for {rate} at {look}");
                let (left, truly) = (float(left.unwrap()), float(total - scene.count) / rate * 1_000.0);
                prop_assert!(is_within(left, truly, 0.11), "{left} ms for {truly} ms at {look}");
            }
        }
    }

    #[test]
    fn a_new_rate_is_right_after_fifteen_seconds_and_there_all_the_time(
        (before, gaps_before) in rates_and_gaps(),
        (after, gaps_after) in rates_and_gaps(),
        change in 8 * SECOND..40 * SECOND,
        phase in 0..TICK,
        looks in prop::collection::vec(0..40 * SECOND, 30),
    ) {
        let mut reports = steady(0, 0, before, &gaps_before, change);
        let (last, count) = *reports.last().unwrap();
        // The next report tells of work at both rates.
        let done = count + units(change - last, before);
        let at_change = steady(0, 0, after, &gaps_after, 60 * SECOND).into_iter().skip(1);
        reports.extend(at_change.map(|(at, count)| (change + at, done + count)));
        let mut looks: Vec<_> = looks.into_iter().map(|look| change + look).chain([change + 15 * SECOND]).collect();
        looks.sort_unstable();
        let mut scene = Scene::new(reports, phase);
        for look in looks {
            let shown = scene.rate(look);
            prop_assert!(shown.is_some(), "none {} µs after the change", look - change);
            if look >= change + 15 * SECOND {
                let shown = shown.unwrap();
                prop_assert!(is_within(shown, after, 0.2), "{shown} for {after} (before: {before}) at {look}");
            }
        }
    }

    #[test]
    fn parts_of_a_lump_count_as_one_lump(
        rate in 1_000.0..1e9_f64,
        every in 100_000..=2 * SECOND,
        over in 0.0..1.0_f64,
        parts in prop_oneof![1_u64..10, 10_u64..100],
        begin in 0..SECOND,
        phase in 0..TICK,
        looks in prop::collection::vec(6 * SECOND..30 * SECOND, 30),
    ) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let over = (float(every) * over) as u64;
        let lump = |lump: u64| {
            let part = move |number: u64| (begin + lump * every + over * (number - 1) / (parts - 1).max(1), lump * parts + number);
            (1..=parts).map(part)
        };
        let count = |parts_done: u64| units(every, rate) * parts_done / parts;
        let reports = (0..400).flat_map(lump).map(|(at, parts_done)| (at, count(parts_done)));
        let mut looks = looks;
        looks.sort_unstable();
        let mut scene = Scene::new(reports.take_while(|(at, _)| *at < 32 * SECOND).collect(), phase);
        for look in looks {
            let shown = scene.rate(begin + look).unwrap();
            prop_assert!(is_within(shown, rate, 0.1), "{shown} for {rate} at {look}");
        }
    }

    #[test]
    fn a_look_teaches_nothing_and_is_the_same_before_and_after_what_happens_at_its_moment(
        gaps in prop::collection::vec(1_000_u64..15 * SECOND, 3..20),
        rate in 1.0..1e9_f64,
        phase in 0..TICK,
        looks in prop::collection::vec(0..60 * SECOND, 0..30),
        last in prop_oneof![0..60 * SECOND, (0_u64..240).prop_map(|tick| tick * TICK)],
    ) {
        let reports = steady(0, 0, rate, &gaps, 70 * SECOND);
        let total = units(100 * SECOND, rate);
        let mut alone = Scene::new(reports.clone(), phase);
        let expected = (alone.rate(last), alone.time_left(last, total));
        let mut looked = Scene::new(reports.clone(), phase);
        let mut looks = looks;
        looks.sort_unstable();
        for look in looks.into_iter().filter(|look| *look <= last) {
            looked.rate(look);
        }
        prop_assert_eq!(looked.rate(last), expected.0);
        // The count itself changes with a report at that moment, so only the rate is the same afterwards.
        looked.run_to(last, true);
        prop_assert_eq!(looked.estimator.rate(looked.time(last)), expected.0);
    }

    #[test]
    fn there_is_never_no_time_left_while_a_tenth_is_to_do(
        total in 10_u64..1 << 60,
        fast in 0.1..0.9_f64,
        took in 1_000_u64..20 * SECOND,
        slow in 1.0..1e6_f64,
        phase in 0..TICK,
        looks in prop::collection::vec(0..40 * SECOND, 50),
    ) {
        // Most of it is done at once, in which case the rest may look like nothing.
        let rate = float(total) * fast / (float(took) / 1e6);
        let mut reports = steady(0, 0, rate, &[took / 50 + 1], took);
        let count = reports.last().unwrap().1;
        reports.extend(steady(took + 10_000, count, slow, &[100_000], 60 * SECOND));
        let reports = reports.into_iter().map(|(at, count)| (at, count.min(total / 10 * 9))).collect();
        let mut looks = looks;
        looks.sort_unstable();
        let mut scene = Scene::new(reports, phase);
        for look in looks {
            if let Some(left) = scene.time_left(look, total) {
                prop_assert!(left >= 500, "{left} ms at {look}");
            }
        }
    }

    #[test]
    fn what_is_there_before_the_work_is_no_work(
        found in prop_oneof![1_u64..1 << 60, Just(900_000_000)],
        (rate, gaps) in rates_and_gaps(),
        zero_before in prop::option::of(1_000_u64..60 * SECOND),
        phase in 0..TICK,
    ) {
        let begin = 61 * SECOND;
        let mut reports = steady(begin, found, rate, &gaps, begin + 30 * SECOND);
        // Some say first that nothing is done yet, and then find what is there.
        reports.splice(0..0, zero_before.map(|before| (begin - before, 0)));
        let mut scene = Scene::new(reports, phase);
        // After such a zero it takes two more reports to see it.
        let settled = begin + if zero_before.is_some() { 15 } else { 6 } * SECOND;
        for look in [settled, settled + 3 * SECOND] {
            let shown = scene.rate(look).unwrap();
            prop_assert!(is_within(shown, rate, 0.2), "{shown} for {rate} at {look}");
        }
    }

    #[test]
    fn any_counter_has_a_sensible_estimate(
        reports in prop::collection::vec((0..20 * SECOND, any::<u64>().prop_map(|count| count >> 3)), 1..60),
        phase in 0..TICK,
    ) {
        let mut at = 0;
        let reports: Vec<_> = reports.into_iter().map(|(gap, count)| { at += gap / 4; (at, count) }).collect();
        let end = at + 100 * SECOND;
        let mut scene = Scene::new(reports, phase);
        for look in (0..at).step_by(333_333) {
            if let Some(rate) = scene.rate(look) {
                prop_assert!(rate > 0.0 && rate.is_finite(), "{rate}");
            }
            prop_assert!(scene.estimator.marks.len() <= 64, "{}", scene.estimator.marks.len());
        }
        prop_assert_eq!(scene.rate(end), None);
        prop_assert_eq!(scene.sample_at, None, "nobody samples it any more");
    }
}

#[test]
fn there_is_no_rate_of_a_single_report() {
    let mut scene = Scene::new(vec![(0, 500)], 0);
    for look in (0..20).map(|half| half * SECOND / 2) {
        assert_eq!(scene.rate(look), None);
    }
}

#[test]
fn the_rate_falls_all_the_time_while_nothing_is_reported_and_ends() {
    let mut scene = Scene::new(steady(0, 0, 1_000.0, &[100_000], 20 * SECOND), 100_000);
    let rates: Vec<_> = (0..=40).map(|quarter| scene.rate(20 * SECOND + 300_000 + quarter * TICK)).collect();
    assert!(rates.is_sorted_by(|before, after| after.is_none() || after < before), "{rates:?}");
    assert!(rates[0].unwrap() > 950.0 && rates[6].unwrap() > 950.0, "a lump may be two seconds long: {rates:?}");
    assert!(rates[20].unwrap() < 800.0 && rates[32].unwrap() < 400.0, "{rates:?}");
    assert_eq!(rates[40], None);
}

#[test]
fn work_that_goes_on_after_a_stall_has_its_new_rate_at_once() {
    let mut reports = steady(0, 0, 1_000.0, &[100_000], 20 * SECOND);
    reports.extend(steady(80 * SECOND, 20_000, 10.0, &[100_000], 100 * SECOND));
    let mut scene = Scene::new(reports, 7_000);
    assert_eq!(scene.rate(80 * SECOND + 50_000), None);
    assert!(is_within(scene.rate(82 * SECOND).unwrap(), 10.0, 0.1));
}

#[test]
fn work_that_always_takes_long_has_a_rate() {
    let mut scene = Scene::new(steady(0, 0, 1.0 / 15.0, &[15 * SECOND], 200 * SECOND), 7_000);
    assert_eq!(scene.rate(20 * SECOND), None, "15 seconds may also be a stall");
    for look in 31..200 {
        let shown = scene.rate(look * SECOND).unwrap();
        assert!(is_within(shown, 1.0 / 15.0, 0.1), "{shown} at {look} s");
    }
    assert_eq!(scene.rate(300 * SECOND), None);
}

#[test]
fn a_counter_that_goes_back_begins_anew() {
    let mut reports = steady(0, 0, 1_000.0, &[100_000], 10 * SECOND);
    reports.extend(steady(10 * SECOND + 50_000, 0, 10.0, &[100_000], 20 * SECOND));
    let mut scene = Scene::new(reports, 7_000);
    assert!(scene.rate(10 * SECOND).is_some());
    assert_eq!(scene.rate(10 * SECOND + 900_000), None);
    assert!(is_within(scene.rate(12 * SECOND).unwrap(), 10.0, 0.1));
}

#[test]
fn noise_does_not_make_the_time_left_jump() {
    let noise = [0.7, 1.3, 1.1, 0.8, 0.75, 1.25, 1.0, 1.2, 0.9];
    let mut count = 0.0;
    let reports = (0..600).map(|number: u64| {
        #[allow(clippy::cast_possible_truncation)]
        {
            count += 100.0 * noise[number as usize % noise.len()];
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (number * 100_000, count as u64)
    });
    let mut scene = Scene::new(reports.collect(), 7_000);
    let lefts: Vec<_> = (40..590).map(|tenth| scene.time_left(tenth * 100_000, 100_000).unwrap()).collect();
    assert!(lefts.windows(2).all(|pair| float(pair[1]) <= float(pair[0]) * 1.1), "{lefts:?}");
}

#[test]
fn there_is_a_time_left_after_a_leap_that_a_pause_follows() {
    let mut reports = vec![(0, 0), (100_000, 600)];
    reports.extend((1..60).map(|second| (second * SECOND, 600 + second * 5)));
    let mut scene = Scene::new(reports, 0);
    assert_eq!(scene.time_left(SECOND, 1_000), None, "the leap may have been work, or not");
    let left = scene.time_left(20 * SECOND + 1, 1_000).unwrap();
    assert!(is_within(float(left), 60_000.0, 0.1), "{left} ms");
}
