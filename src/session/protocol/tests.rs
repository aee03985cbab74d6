//! Compares the lease of a page with a model, whatever steps the app takes and however its main thread is blocked.

use proptest::prelude::*;

mod main_thread;

use super::{
    timing::{CATCH_UP, HIDDEN_LIMIT, VISIBLE_LIMIT},
    *,
};

/// What happens between two looks at the page.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The app runs for so long, at most a step.
    Runs(u64),
    /// The app runs late, or not at all, for so long.
    Stands(u64),
    /// The page is heard.
    Heard,
    /// The page says whether it is hidden. It takes so many calls until this one arrives.
    Says { hidden: bool, late: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let second = 1_000_u64;
    prop_oneof![
        12 => (0..=3 * second).prop_map(Step::Runs),
        2 => (3 * second..100_000 * second).prop_map(Step::Stands),
        1 => (3 * second..8 * second).prop_map(Step::Stands),
        1 => Just(Step::Heard),
        1 => (any::<bool>(), 0..3_u32).prop_map(|(hidden, late)| Step::Says { hidden, late }),
    ]
}

/// Counts as [`Silence`] should, in plain numbers.
struct Model {
    counted: Duration,
    heard: Duration,
    woken: Option<Duration>,
    hidden: bool,
    change: u32,
}

impl Model {
    fn passes(&mut self, time: Duration) {
        self.counted += time.min(2 * STEP);
        if time > 2 * STEP {
            self.woken = Some(self.counted);
        }
    }

    fn is_gone(&self) -> bool {
        let limit = if self.hidden { HIDDEN_LIMIT } else { VISIBLE_LIMIT };
        let has_caught_up = self.woken.is_none_or(|woken| self.counted >= woken + CATCH_UP);
        self.counted >= self.heard.saturating_add(limit) && has_caught_up
    }
}

/// Looks as the pump does, while the main thread answers at once.
fn look(protocol: &mut Protocol, now: Instant) -> Option<Loss> {
    let lost = protocol.loss(now);
    match protocol.ask_main_thread(now) {
        Some(question) if lost.is_none() => {
            question.answer(now);
            protocol.loss(now)
        }
        _ => lost,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_gone_when_it_was_silent_for_its_time_as_counted(steps in prop::collection::vec(step(), 1..120)) {
        let mut now = Instant::now();
        let mut protocol = Protocol::new(now, PageSigns::new(now, HIDDEN_LIMIT, false));
        let mut model = Model { counted: Duration::ZERO, heard: Duration::ZERO, woken: None, hidden: false, change: 0 };
        let mut said = 3;
        for step in steps {
            match step {
                Step::Runs(ms) | Step::Stands(ms) => {
                    let time = Duration::from_millis(ms);
                    now += time;
                    model.passes(time);
                }
                Step::Heard => {
                    protocol.is_used(now);
                    model.heard = model.counted;
                }
                Step::Says { hidden, late } => {
                    said += 1;
                    let change = said - late;
                    protocol.sees(Visibility { hidden, change }, now);
                    model.heard = model.counted;
                    if change > model.change {
                        (model.hidden, model.change) = (hidden, change);
                    }
                }
            }
            prop_assert_eq!(look(&mut protocol, now) == Some(Loss::Silent), model.is_gone(), "{:?}", step);
            if model.is_gone() {
                // The session is closed.
                return Ok(());
            }
        }
    }

    /// Follows the pauses of the protocol as the pump does, and stands still now and then.
    #[test]
    fn a_silent_page_is_gone_after_42_seconds_in_which_the_app_runs(
        stands in prop::collection::vec((0..60_000_u64, 6_001..10_000_000_u64), 0..3),
        hidden: bool,
    ) {
        let begin = Instant::now();
        let (mut now, mut ran, mut stood) = (begin, Duration::ZERO, 0);
        let mut stands: Vec<_> = stands.into_iter().collect();
        stands.sort_unstable();
        let gaps = u32::try_from(stands.len()).unwrap();
        let mut stands = stands.into_iter().peekable();
        let mut protocol = Protocol::new(now, PageSigns::new(now, Duration::ZERO, false));
        protocol.sees(Visibility { hidden, change: 1 }, now);
        while look(&mut protocol, now).is_none() {
            if protocol.may_push(now) && protocol.probes() {
                protocol.sent(false, false, now);
            }
            let wait = protocol.pause(None, 1, true, now).until.unwrap() - now;
            if let Some((_, stands)) = stands.next_if(|(at, _)| Duration::from_millis(*at) <= ran) {
                now += wait + Duration::from_millis(stands);
                stood += 1;
            } else {
                now += wait;
                ran += wait;
            }
        }
        // A gap counts for at most two steps, and gives the page as much to catch up.
        prop_assert!(ran + stood * CATCH_UP >= VISIBLE_LIMIT, "gone too early, after {ran:?} and {stood} gaps");
        prop_assert!(ran <= VISIBLE_LIMIT + FRAME + gaps * CATCH_UP, "gone too late, after {ran:?}");
    }

    /// A page that answers each message and pings in time is never lost, wherever the app stands still.
    #[test]
    fn a_page_that_answers_is_never_lost(
        // A gap of up to two steps counts in full.
        steps in prop::collection::vec((0..41_000_u64, prop_oneof![0..1_000_u64, 6_001..1_000_000_u64]), 1..60),
    ) {
        let mut now = Instant::now();
        let mut protocol = Protocol::new(now, PageSigns::new(now, HIDDEN_LIMIT, false));
        for (silent, gap) in steps {
            // Runs in the protocol's own pauses for as long as the page is silent.
            let mut left = Duration::from_millis(silent);
            while !left.is_zero() {
                prop_assert_eq!(look(&mut protocol, now), None);
                if protocol.may_push(now) && protocol.probes() {
                    protocol.sent(false, false, now);
                }
                let wait = (protocol.pause(None, 1, true, now).until.unwrap() - now).min(left);
                now += wait;
                left -= wait;
            }
            now += Duration::from_millis(gap);
            prop_assert_eq!(look(&mut protocol, now), None, "silent for {} ms, and then a gap of {}", silent, gap);
            protocol.acknowledge(protocol.last_message, now);
        }
    }
}
