//! Blocks the main thread at random, for pages that are gone and for pages that are well.

use super::*;
use crate::session::protocol::main_thread::Question;

/// A time in which the main thread is blocked, by the milliseconds since the page was opened.
#[derive(Debug, Clone, Copy)]
struct Block {
    begin: u64,
    end: u64,
}

/// Blocks that lie at least `gap` milliseconds apart.
fn blocks(gap: u64) -> impl Strategy<Value = Vec<Block>> {
    let gap = prop_oneof![gap..gap + 4_000, gap..60_000_u64];
    let length = prop_oneof![1..6_000_u64, 6_000..60_000_u64, 60_000..10_000_000_u64];
    prop::collection::vec((gap, length), 0..8).prop_map(|blocks| {
        let mut end = 0;
        let next = |(gap, length)| {
            let begin = end + gap;
            end = begin + length;
            Block { begin, end }
        };
        blocks.into_iter().map(next).collect()
    })
}

/// When the pump looks, other than at the end of its pause: changes wake it so soon after a look, or a busy machine lets
/// it run so late, in milliseconds. One of these for each look, in turn.
#[derive(Debug, Clone, Copy)]
enum Turn {
    OnTime,
    Woken(u64),
    Late(u64),
}

fn on_time_or_woken() -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec(prop_oneof![Just(Turn::OnTime), (17..3_000_u64).prop_map(Turn::Woken)], 1..20)
}

fn woken_or_late() -> impl Strategy<Value = Vec<Turn>> {
    // A gap of up to two steps counts in full.
    prop::collection::vec(
        prop_oneof![(17..3_000_u64).prop_map(Turn::Woken), (0..3_000_u64).prop_map(Turn::Late)],
        1..20,
    )
}

/// One session of a page, its pump, and the main thread between the two. Times are in milliseconds.
struct App {
    begin: Instant,
    now: u64,
    protocol: Protocol,
    blocks: Vec<Block>,
    turns: std::iter::Cycle<std::vec::IntoIter<Turn>>,
    open: Option<Question>,
    /// How often the pump has looked without being woken.
    looks: u64,
}

impl App {
    fn new(blocks: Vec<Block>, turns: Vec<Turn>) -> Self {
        let begin = Instant::now();
        let protocol = Protocol::new(begin, PageSigns::new(begin, HIDDEN_LIMIT, false));
        Self { begin, now: 0, protocol, blocks, turns: turns.into_iter().cycle(), open: None, looks: 0 }
    }

    fn at(&self, ms: u64) -> Instant {
        self.begin + Duration::from_millis(ms)
    }

    fn blocked_at(&self, ms: u64) -> Option<Block> {
        self.blocks.iter().copied().find(|block| (block.begin..block.end).contains(&ms))
    }

    /// Looks as the pump does. Returns why the session has ended, or when to look again.
    fn look(&mut self) -> Result<u64, Loss> {
        let now = self.at(self.now);
        if let Some(loss) = self.protocol.loss(now) {
            return Err(loss);
        }
        if let Some(question) = self.protocol.ask_main_thread(now) {
            assert!(self.open.replace(question).is_none(), "one question at a time");
            self.answer();
        }
        if self.protocol.may_push(now) && self.protocol.probes() {
            self.protocol.sent(false, false, now);
        }
        let until = self.protocol.pause(None, 1, true, now).until.unwrap();
        let until = ms(until - self.begin);
        let look = match self.turns.next().unwrap() {
            Turn::OnTime => until,
            Turn::Woken(after) => until.min(self.now + after),
            Turn::Late(by) => until + by,
        };
        self.looks += u64::from(look >= until);
        Ok(look)
    }

    /// Lets the main thread answer if it can.
    fn answer(&mut self) {
        if self.blocked_at(self.now).is_none()
            && let Some(question) = self.open.take()
        {
            question.answer(self.at(self.now));
        }
    }

    /// Runs until `until`, and hears the `signs` of the page. Returns why the session has ended, if it has.
    fn run(&mut self, until: u64, signs: &[Sign]) -> Option<Loss> {
        let mut look = self.now;
        let mut signs = signs.iter().peekable();
        let ends: Vec<_> = self.blocks.iter().map(|block| block.end).collect();
        while self.now < until {
            if self.now >= look {
                match self.look() {
                    Ok(next) => look = next,
                    Err(loss) => return Some(loss),
                }
            }
            let end = ends.iter().copied().find(|end| *end > self.now);
            let sign = signs.peek().map(|sign| sign.at);
            self.now = [look, until].into_iter().chain(end).chain(sign).min().unwrap();
            self.answer();
            while let Some(sign) = signs.next_if(|sign| sign.at <= self.now) {
                self.hear(sign.acknowledges);
            }
        }
        None
    }

    fn hear(&mut self, acknowledges: bool) {
        let now = self.at(self.now);
        if acknowledges {
            self.protocol.acknowledge(self.protocol.last_message, now);
        } else {
            self.protocol.is_used(now);
        }
    }
}

/// A moment in which the main thread takes something in that the page has said.
#[derive(Debug, Clone, Copy)]
struct Sign {
    at: u64,
    acknowledges: bool,
}

/// Returns what is heard of a page that is well: a call whenever the main thread begins to run and each 10 seconds, and an
/// acknowledgement `late` milliseconds after each of these.
fn signs(blocks: &[Block], until: u64, late: u64) -> Vec<Sign> {
    let begins = [0].into_iter().chain(blocks.iter().map(|block| block.end));
    let ends = blocks.iter().map(|block| block.begin).chain([until]);
    let runs = begins.zip(ends);
    runs.flat_map(|(begin, end)| {
        let pings = (begin..end).step_by(10_000);
        let both = pings.flat_map(move |at| [(at, false), (at + late, true)]);
        both.filter(move |(at, _)| *at < end).map(|(at, acknowledges)| Sign { at, acknowledges })
    })
    .collect()
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_page_that_is_well_is_never_lost_however_the_main_thread_is_blocked(
        blocks in blocks(ms(CATCH_UP)),
        turns in on_time_or_woken(),
        late in 0..ms(CATCH_UP) - ms(FRAME),
    ) {
        let until = blocks.last().map_or(0, |block| block.end) + 100_000;
        let mut app = App::new(blocks.clone(), turns);
        prop_assert_eq!(app.run(until, &signs(&blocks, until, late)), None, "at {} ms", app.now);
    }

    #[test]
    fn a_page_that_is_gone_is_lost_while_the_main_thread_answers_and_no_earlier(
        blocks in blocks(0),
        turns in on_time_or_woken(),
    ) {
        let mut app = App::new(blocks.clone(), turns);
        let until = blocks.last().map_or(0, |block| block.end) + ms(VISIBLE_LIMIT + CATCH_UP + STEP);
        prop_assert_eq!(app.run(until, &[]), Some(Loss::Silent));
        let lost = app.now;
        prop_assert!(lost >= ms(VISIBLE_LIMIT));
        if let Some(block) = app.blocked_at(lost) {
            prop_assert!(lost <= block.begin + ms(CATCH_UP), "lost at {lost} ms, in {block:?}");
        }
        // Two questions lie up to two steps apart, and one that was open for a step is a long one.
        for block in blocks.iter().filter(|block| block.end <= lost && block.end - block.begin >= ms(3 * STEP)) {
            // It may be asked a frame late.
            prop_assert!(lost + ms(FRAME) >= block.end + ms(CATCH_UP), "lost at {lost} ms, soon after {block:?}");
        }
        let met: Vec<_> = blocks.iter().filter(|block| block.begin < lost).collect();
        let blocked: u64 = met.iter().map(|block| block.end.min(lost) - block.begin).sum();
        let forgiven = met.len() as u64 * ms(CATCH_UP + STEP);
        prop_assert!(lost - blocked <= ms(VISIBLE_LIMIT + FRAME * 3) + forgiven, "lost at {lost} ms only");
        prop_assert!(app.looks <= lost / ms(STEP) + 200 * (met.len() as u64 + 1), "{} looks in {lost} ms", app.looks);
    }

    #[test]
    fn a_page_is_not_lost_while_the_main_thread_is_blocked_even_if_the_pump_runs_late(
        blocks in blocks(0),
        turns in woken_or_late(),
    ) {
        let until = blocks.last().map_or(0, |block| block.end) + 100_000;
        let mut app = App::new(blocks, turns);
        prop_assert_eq!(app.run(until, &[]), Some(Loss::Silent));
        prop_assert!(app.now >= ms(VISIBLE_LIMIT));
        if let Some(block) = app.blocked_at(app.now) {
            prop_assert!(app.now <= block.begin + ms(CATCH_UP), "lost at {} ms, in {block:?}", app.now);
        }
    }
}
