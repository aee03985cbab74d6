//! Compares the buffer with a plain model, which keeps everything that was ever emitted. After any steps in any order,
//! the buffer must give out, refuse, keep and count what the model says. Separate tests check how units are grouped
//! into chunks.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use super::{
    super::segment::{CHUNK_BYTES, CHUNK_ITEMS, Segment},
    Ask, Bounds, Chunk, GONE_LIMIT, ItemBuffer, ReadRefusal, WINDOW,
};

/// How many cases run. They take a few seconds in a debug build.
const CASES: u32 = 600;
const LARGE_CASES: u32 = 12;

/// Everything that was emitted, from the first unit.
#[derive(Default)]
struct Emitted {
    data: Vec<u8>,
    /// Where each item ends; `None` for bytes.
    ends: Option<Vec<usize>>,
    /// The attempt that has emitted each unit.
    attempts: Vec<u32>,
    /// The most bytes that were emitted at once.
    largest: usize,
}

impl Emitted {
    fn len(&self) -> u64 {
        self.ends.as_ref().map_or(self.data.len(), Vec::len) as u64
    }

    fn range(&self, from: u64, to: u64) -> &[u8] {
        let at = |unit: u64| match &self.ends {
            None => usize::try_from(unit).unwrap(),
            Some(_) if unit == 0 => 0,
            Some(ends) => ends[usize::try_from(unit).unwrap() - 1],
        };
        &self.data[at(from)..at(to)]
    }

    /// Returns these units as they are sent.
    fn sent(&self, from: u64, to: u64) -> Vec<u8> {
        match self.ends {
            None => self.range(from, to).to_vec(),
            Some(_) => (from..to).map(|unit| self.range(unit, unit + 1)).collect::<Vec<_>>().join(&b','),
        }
    }

    fn push(&mut self, data: &[u8], attempt: u32) {
        let units = if self.ends.is_some() { 1 } else { data.len() };
        self.attempts.resize(self.attempts.len() + units, attempt);
        self.largest = self.largest.max(data.len());
        self.data.extend_from_slice(data);
        if let Some(ends) = &mut self.ends {
            ends.push(self.data.len());
        }
    }
}

/// The reader, and what it was given.
struct Reading {
    name: String,
    /// The number of the unit that it gets next.
    expected: u64,
    /// All chunks that it was given.
    given: Vec<Given>,
    /// It has released the chunks with lower numbers.
    lowest: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Given {
    sequence: u64,
    end: u64,
    missed: u64,
    done: bool,
    attempt: u32,
    data: Vec<u8>,
}

impl Given {
    fn new(chunk: &Chunk) -> Self {
        let Chunk { sequence, missed, done, attempt, segment } = chunk;
        let end = segment.as_ref().map_or(*sequence, Segment::end);
        let data = segment.as_ref().map_or_else(Vec::new, |segment| segment.data().to_vec());
        Self { sequence: *sequence, end, missed: *missed, done: *done, attempt: *attempt, data }
    }
}

struct Model {
    bounds: Bounds,
    /// The attempt that emits.
    attempt: u32,
    emitted: Emitted,
    /// The oldest unit that is kept.
    kept: u64,
    /// All units before this number count as read.
    read: u64,
    done: bool,
    reader: Option<Reading>,
    gone: Vec<Former>,
}

/// A reader that has gone.
struct Former {
    name: String,
    /// If it was taken for gone: the number of the unit that it would have got next.
    expected: Option<u64>,
}

/// The answer that the model expects.
#[derive(Debug, PartialEq)]
enum Expected {
    Refused(ReadRefusal),
    /// The chunk that was given before.
    Same(Given),
    /// New units, or the end.
    Next,
    Nothing,
}

impl Model {
    fn new(bounds: Bounds, of_bytes: bool) -> Self {
        let emitted = Emitted { ends: (!of_bytes).then(Vec::new), ..Emitted::default() };
        Self { bounds, attempt: 1, emitted, kept: 0, read: 0, done: false, reader: None, gone: Vec::new() }
    }

    /// The number after the last unit that was given to the current reader.
    fn given_to(&self) -> u64 {
        let last = self.reader.as_ref().and_then(|reader| reader.given.last());
        last.map_or(self.kept, |given| given.end.max(self.kept))
    }

    /// Whether there is room for a unit of this many bytes if unit number `kept` is the oldest one. `None` if that
    /// depends on whether commas count.
    fn has_room(&self, kept: u64, bytes: usize) -> Option<bool> {
        let (units, data) = (self.emitted.len() - kept, self.emitted.range(kept, self.emitted.len()).len());
        if self.emitted.ends.is_none() {
            return Some(data + bytes <= self.bounds.bytes);
        }
        let (units, commas) = (usize::try_from(units).unwrap(), usize::try_from(units).unwrap());
        if units >= self.bounds.items || data + bytes > self.bounds.bytes {
            return Some(false);
        }
        (data + commas + bytes <= self.bounds.bytes).then_some(true)
    }

    fn ask(&mut self, name: &str, chunk: u64, from: Option<u64>) -> Expected {
        let is_reader = self.reader.as_ref().is_some_and(|reader| reader.name == name);
        if !is_reader {
            let end = self.emitted.len();
            let refusal = match from {
                _ if self.former(name).is_some() => Some(self.refusal_of_former(name)),
                _ if self.reader.is_some() => Some(ReadRefusal::Locked),
                _ if chunk == 0 || chunk > WINDOW => Some(ReadRefusal::Gone),
                Some(from) if from > end => Some(ReadRefusal::Beyond(end)),
                _ => None,
            };
            if let Some(refusal) = refusal {
                return Expected::Refused(refusal);
            }
            let expected = from.unwrap_or(self.read);
            self.reader = Some(Reading { name: name.to_owned(), expected, given: Vec::new(), lowest: 1 });
            self.read_to(expected);
        }
        let reader = self.reader.as_mut().unwrap();
        let last = reader.given.len() as u64;
        if chunk < reader.lowest || chunk > last + WINDOW {
            return Expected::Refused(ReadRefusal::Gone);
        }
        reader.lowest = reader.lowest.max((chunk + 1).saturating_sub(WINDOW));
        let let_go = usize::try_from(reader.lowest - 1).unwrap();
        let read = reader.given[..let_go].last().map_or(0, |given| given.end);
        let same = usize::try_from(chunk - 1).ok().and_then(|index| reader.given.get(index)).cloned();
        self.read_to(read);
        match same {
            Some(same) => Expected::Same(same),
            None if chunk == last + 1 && (self.given_to() < self.emitted.len() || self.done) => Expected::Next,
            None => Expected::Nothing,
        }
    }

    fn read_to(&mut self, number: u64) {
        self.read = self.read.max(number);
        self.kept = self.kept.max(number);
    }

    fn former(&self, name: &str) -> Option<&Former> {
        self.gone.iter().find(|gone| gone.name == name)
    }

    fn refusal_of_former(&self, name: &str) -> ReadRefusal {
        let expected = self.former(name).and_then(|former| former.expected);
        expected.map_or(ReadRefusal::Gone, |expected| ReadRefusal::Idled { missed: self.kept.saturating_sub(expected) })
    }

    /// Whether the reader has units to ask for.
    fn idles(&self) -> bool {
        self.reader.is_some() && self.given_to() < self.emitted.len()
    }

    /// Takes the reader for gone.
    fn lose_idle(&mut self) {
        let Reading { name, expected, .. } = self.reader.take().unwrap();
        self.note_gone(Former { name, expected: Some(expected) });
    }

    fn note_gone(&mut self, gone: Former) {
        self.gone.push(gone);
        let excess = self.gone.len().saturating_sub(GONE_LIMIT);
        self.gone.drain(..excess);
    }

    fn go(&mut self, name: &str) -> bool {
        if self.former(name).is_none() {
            self.note_gone(Former { name: name.to_owned(), expected: None });
        }
        let is_reader = self.reader.as_ref().is_some_and(|reader| reader.name == name);
        if is_reader {
            self.reader = None;
        }
        is_reader
    }

    fn stop(&mut self, name: &str, position: u64) -> bool {
        let position = position.min(self.emitted.len());
        let former = self.gone.iter_mut().find(|gone| gone.name == name && gone.expected.is_some());
        let has_idled = former.is_some();
        if let Some(former) = former {
            former.expected = former.expected.max(Some(position));
        }
        let is_free = self.reader.is_none();
        let stopped = self.go(name);
        if stopped || (has_idled && is_free) {
            self.read_to(position);
        }
        stopped
    }
}

/// Stands for the next chunk in a [`Step::Ask`]. A reader may go back [`WINDOW`] chunks.
const NEXT: u64 = WINDOW + 1;

/// `who` selects a reader. `None` is the current reader, or a new one if there is none.
#[derive(Debug, Clone)]
enum Step {
    /// Pushes units of this size. Where there is no room, either the oldest units or these are dropped.
    Push {
        units: usize,
        bytes: usize,
        drops: bool,
    },
    /// The next attempt emits from here on.
    Retry,
    /// `chunk` is relative: [`NEXT`] is the next one. A chunk that does not arrive may be asked for again.
    Ask {
        who: Option<u8>,
        chunk: u64,
        from: From,
        arrives: bool,
    },
    Stop {
        who: Option<u8>,
        position: Position,
    },
    Lose {
        who: Option<u8>,
    },
    /// The reader is taken for gone if it has something to ask for. A careful one then asks, and continues with a new name
    /// where it has stopped.
    Idle,
    End,
}

#[derive(Debug, Clone, Copy)]
enum From {
    Oldest,
    Kept(u64),
    End(u64),
    Behind(u64),
}

#[derive(Debug, Clone, Copy)]
enum Position {
    Zero,
    Read,
    Given(u64),
    Beyond(u64),
}

/// How the readers behave.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Readers {
    /// They ask for any chunk and begin anywhere.
    Wild,
    /// They come one after the other, and each continues where the last one stopped.
    Careful,
}

/// A client that remembers its position across a reload.
#[derive(Default)]
struct Client {
    name: u8,
    next_chunk: u64,
    early: BTreeMap<u64, Given>,
    /// The number of the unit that it continues with.
    position: u64,
    missed: u64,
    taken: Vec<(u64, u64)>,
    finished: bool,
}

impl Client {
    fn reload(&mut self) {
        self.name = self.name.wrapping_add(1);
        self.next_chunk = 1;
        self.early.clear();
    }

    fn arrived(&mut self, chunk: u64, given: Given) {
        self.early.insert(chunk, given);
        while let Some(given) = self.early.remove(&self.next_chunk) {
            self.next_chunk += 1;
            self.missed += given.missed;
            self.position = given.end;
            if given.sequence < given.end {
                self.taken.push((given.sequence, given.end));
            }
            self.finished |= given.done;
        }
    }
}

struct Pair {
    buffer: ItemBuffer,
    model: Model,
    readers: Readers,
    client: Client,
    /// Whether the data is compared after each step, or only its size.
    thorough: bool,
    steps: usize,
    tally: Tally,
}

/// What the steps have covered.
#[derive(Default, Debug)]
struct Tally {
    pushed: usize,
    full: usize,
    dropped: u64,
    chunks: usize,
    again: usize,
    early: usize,
    locked: usize,
    gone: usize,
    beyond: usize,
    missed: usize,
    /// Readers that were taken for gone, and those that were told then that they have missed something.
    idle: usize,
    idled_missed: usize,
    ends: usize,
    beside_frozen: usize,
    /// Chunks that were followed by units of another attempt.
    cut: usize,
}

impl Pair {
    fn new(bounds: Bounds, of_bytes: bool, readers: Readers, thorough: bool) -> Self {
        let client = Client { next_chunk: 1, ..Client::default() };
        let (buffer, model) = (ItemBuffer::new(bounds), Model::new(bounds, of_bytes));
        Self { buffer, model, readers, client, thorough, steps: 0, tally: Tally::default() }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.steps += 1;
        match *step {
            Step::Push { units, bytes, drops } => {
                for _ in 0..units {
                    self.push(bytes, drops)?;
                }
            }
            Step::Retry => self.model.attempt += 1,
            Step::Ask { chunk, arrives, .. } if self.readers == Readers::Careful => {
                // It asks for the chunk that it needs next, or for a later one.
                let chunk = self.client.next_chunk + chunk.saturating_sub(NEXT).min(WINDOW - 1);
                let (name, from) = (self.client.name, self.client.position);
                let answer = self.ask(&name.to_string(), chunk, Some(from))?;
                if matches!(answer, Err(ReadRefusal::Idled { .. })) {
                    self.stop(&name.to_string(), from)?;
                    self.client.reload();
                    return self.compare();
                }
                let answer = answer.map_err(|refusal| TestCaseError::fail(format!("refused: {refusal:?}")))?;
                if let Some(given) = answer.filter(|_| arrives) {
                    self.client.arrived(chunk, given);
                }
            }
            Step::Ask { who, chunk, from, .. } => {
                let last = self.model.reader.as_ref().map_or(0, |reader| reader.given.len() as u64);
                let from = match from {
                    From::Oldest => None,
                    From::Kept(more) => Some(self.model.kept + more),
                    From::End(less) => Some(self.model.emitted.len().saturating_sub(less)),
                    From::Behind(more) => Some(self.model.emitted.len() + more),
                };
                let name = self.name(who);
                let _ = self.ask(&name, (last + 1 + chunk).saturating_sub(NEXT), from)?;
            }
            Step::Stop { .. } if self.readers == Readers::Careful => {
                let (name, position) = (self.client.name.to_string(), self.client.position);
                self.stop(&name, position)?;
                self.client.reload();
            }
            Step::Stop { who, position } => {
                let given = self.model.reader.as_ref().map_or(0, |reader| reader.expected);
                let position = match position {
                    Position::Zero => 0,
                    Position::Read => self.model.read,
                    Position::Given(less) => given.saturating_sub(less),
                    Position::Beyond(more) => given + more,
                };
                let name = self.name(who);
                self.stop(&name, position)?;
            }
            Step::Lose { who } => {
                let careful = self.readers == Readers::Careful;
                let name = if careful { self.client.name.to_string() } else { self.name(who) };
                prop_assert_eq!(self.buffer.lose(&name), self.model.go(&name));
                if careful {
                    self.client.reload();
                }
            }
            Step::Idle => self.idle()?,
            Step::End => {
                self.buffer.end();
                self.model.done = true;
                self.tally.ends += 1;
            }
        }
        self.compare()
    }

    fn idle(&mut self) -> Result<(), TestCaseError> {
        let Some(asks) = self.buffer.idles() else { return Ok(()) };
        prop_assert!(!self.buffer.lose_idle(asks + 1), "it has not asked as often");
        prop_assert!(self.buffer.lose_idle(asks));
        self.model.lose_idle();
        self.tally.idle += 1;
        Ok(())
    }

    fn name(&self, who: Option<u8>) -> String {
        match (who, &self.model.reader) {
            (Some(who), _) => who.to_string(),
            (None, Some(reader)) => reader.name.clone(),
            (None, None) => {
                let idled =
                    self.model.gone.last().filter(|gone| gone.expected.is_some() && self.steps.is_multiple_of(2));
                idled.map_or_else(|| format!("new at {}", self.steps), |idled| idled.name.clone())
            }
        }
    }

    fn push(&mut self, bytes: usize, drops: bool) -> Result<(), TestCaseError> {
        if self.model.done {
            return Ok(());
        }
        let (kept, end) = (self.model.kept, self.model.emitted.len());
        let unread = end - self.model.given_to();
        let data = unit(end, bytes, self.model.emitted.ends.is_some());
        // A unit is always taken if the reader waits for it, whatever the reader still holds.
        let expected = if unread == 0 { Some(true) } else { self.model.has_room(kept, data.len()) };
        let pushed = self.try_push(&data);
        prop_assert!(expected.is_none_or(|expected| expected == pushed), "has room: {pushed}, not {expected:?}");
        if pushed {
            self.tally.beside_frozen +=
                usize::from(unread == 0 && self.model.has_room(kept, data.len()) == Some(false));
        } else {
            self.tally.full += 1;
            if !drops || self.buffer.has_reader() {
                return Ok(());
            }
            self.buffer.make_room(data.len());
            let oldest = self.buffer.segments.front().map_or(end, Segment::first);
            prop_assert!(oldest > kept, "no unit was dropped");
            if self.model.emitted.ends.is_some() {
                prop_assert!(
                    self.model.has_room(oldest - 1, data.len()) != Some(true),
                    "more units were dropped than needed"
                );
            } else {
                let most = self.model.bounds.bytes.saturating_sub(data.len()) as u64;
                prop_assert_eq!(end - oldest, most, "only as many bytes are dropped as needed");
            }
            self.tally.dropped += oldest - kept;
            self.model.kept = oldest;
            prop_assert!(self.try_push(&data), "there was no room even though some was made");
        }
        self.tally.pushed += 1;
        self.model.emitted.push(&data, self.model.attempt);
        let is_within = self.buffer.bytes() <= self.model.bounds.bytes;
        prop_assert!(is_within || end == self.model.given_to(), "{} bytes are kept", self.buffer.bytes());
        Ok(())
    }

    fn try_push(&mut self, data: &[u8]) -> bool {
        match self.model.emitted.ends {
            Some(_) => self.buffer.push_item(data, self.model.attempt),
            None => self.buffer.push_bytes(data, self.model.attempt),
        }
    }

    fn ask(
        &mut self,
        name: &str,
        chunk: u64,
        from: Option<u64>,
    ) -> Result<Result<Option<Given>, ReadRefusal>, TestCaseError> {
        let expected = self.model.ask(name, chunk, from);
        let answer = self
            .buffer
            .ask(Ask { reader: name, label: name, chunk, from, holds: WINDOW })
            .map(|chunk| chunk.as_ref().map(Given::new));
        match (expected, &answer) {
            (Expected::Refused(refusal), answer) => {
                prop_assert_eq!(answer, &Err(refusal));
                match refusal {
                    ReadRefusal::Locked => self.tally.locked += 1,
                    ReadRefusal::Gone => self.tally.gone += 1,
                    ReadRefusal::Idled { missed } => self.tally.idled_missed += usize::from(missed > 0),
                    ReadRefusal::Beyond(_) => self.tally.beyond += 1,
                }
            }
            (Expected::Same(same), answer) => {
                prop_assert_eq!(answer, &Ok(Some(same)), "a chunk is the same whenever it is asked for");
                self.tally.again += 1;
            }
            (Expected::Nothing, answer) => {
                prop_assert_eq!(answer, &Ok(None));
                self.tally.early += usize::from(self.model.given_to() < self.model.emitted.len());
            }
            (Expected::Next, Ok(Some(given))) => self.check_next(given)?,
            (Expected::Next, answer) => {
                prop_assert!(false, "there is something to read, but the answer was {answer:?}");
            }
        }
        Ok(answer)
    }

    fn check_next(&mut self, given: &Given) -> Result<(), TestCaseError> {
        let (first, end) = (self.model.given_to(), self.model.emitted.len());
        let reader = self.model.reader.as_mut().unwrap();
        prop_assert_eq!(given.sequence, first, "begins with the oldest that was not given");
        prop_assert!(given.end <= end);
        prop_assert_eq!(given.missed, first.saturating_sub(reader.expected));
        prop_assert_eq!(given.done, self.model.done && given.end == end);
        prop_assert!(given.sequence < given.end || given.done, "an empty chunk that is not the end");
        let at = |unit: u64| usize::try_from(unit).unwrap();
        let attempts = &self.model.emitted.attempts;
        let of_it = &attempts[at(given.sequence)..at(given.end)];
        let last = attempts[..at(given.end)].last().copied().unwrap_or(0);
        prop_assert!(of_it.iter().all(|attempt| *attempt == given.attempt), "units of several attempts: {of_it:?}");
        prop_assert_eq!(given.attempt, last);
        self.tally.cut += usize::from(given.end < end && attempts[at(given.end)] != given.attempt);
        prop_assert!(
            given.data == self.model.emitted.sent(given.sequence, given.end),
            "not what was emitted: {given:?}"
        );
        if self.model.emitted.ends.is_some() && given.end - given.sequence != 1 {
            prop_assert!(given.end - given.sequence <= CHUNK_ITEMS as u64);
        }
        // One comma for each item, and a single item may be larger.
        let slack = usize::try_from(given.end - given.sequence).unwrap();
        prop_assert!(given.data.len() <= CHUNK_BYTES.max(self.model.emitted.largest) + slack);
        self.tally.chunks += 1;
        self.tally.missed += usize::from(given.missed > 0);
        reader.expected = given.end;
        reader.given.push(given.clone());
        Ok(())
    }

    fn stop(&mut self, name: &str, position: u64) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.buffer.stop(name, position), self.model.stop(name, position));
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let Self { buffer, model, .. } = self;
        let end = model.emitted.len();
        prop_assert_eq!((buffer.next, buffer.read, buffer.is_done()), (end, model.read, model.done));
        let reader = buffer.reader.as_ref().map(|reader| &*reader.name);
        prop_assert_eq!(reader, model.reader.as_ref().map(|reader| &*reader.name));
        let gone = buffer.gone.iter().map(|gone| &*gone.name);
        prop_assert!(gone.eq(model.gone.iter().map(|gone| &*gone.name)), "not gone: {:?}", buffer.gone);
        prop_assert_eq!(buffer.idles().is_some(), model.idles());

        // The kept units have no gaps.
        let mut number = model.kept;
        for segment in &buffer.segments {
            prop_assert_eq!((segment.first(), segment.len() > 0), (number, true));
            if self.thorough {
                prop_assert_eq!(segment.data(), model.emitted.sent(number, segment.end()));
            }
            number = segment.end();
        }
        prop_assert_eq!(number, end, "kept up to the newest");

        let bytes: usize = buffer.segments.iter().map(|segment| segment.data().len()).sum();
        prop_assert_eq!(buffer.bytes(), bytes);
        let units: usize = buffer.segments.iter().map(Segment::len).sum();
        prop_assert_eq!(buffer.items, if model.emitted.ends.is_some() { units } else { 0 });
        // Every unit that the reader waits for is taken, and the reader may hold several such chunks.
        let (extra, largest) = (usize::try_from(WINDOW).unwrap(), model.emitted.largest);
        prop_assert!(bytes <= model.bounds.bytes.max(largest) + extra * (largest + 1), "{bytes} bytes are kept");
        if model.emitted.ends.is_some() {
            prop_assert!(units <= model.bounds.items.max(1) + extra, "{units} items are kept");
        }
        let frozen = buffer.reader.as_ref().map_or(0, |reader| reader.frozen.len());
        let given = model.reader.as_ref().map_or(0, |reader| reader.given.len() as u64 + 1 - reader.lowest);
        prop_assert!(frozen as u64 == given && frozen <= extra, "{frozen} chunks are frozen");
        Ok(())
    }

    /// Reads the rest. Checks that no unit was lost, repeated or out of order, and that all dropped units are counted.
    fn drain(mut self) -> Result<Tally, TestCaseError> {
        self.step(&Step::End)?;
        if self.readers == Readers::Wild {
            return Ok(self.tally);
        }
        while !self.client.finished {
            self.step(&Step::Ask { who: None, chunk: NEXT, from: From::Oldest, arrives: true })?;
        }
        let (mut number, mut holes) = (0, 0);
        for (from, to) in &self.client.taken {
            prop_assert!(*from >= number && to > from, "{from} comes after {number}");
            holes += from - number;
            number = *to;
        }
        prop_assert_eq!(number, self.model.emitted.len(), "read to the end");
        prop_assert_eq!(self.client.missed, holes, "each gap is reported once");
        prop_assert!(holes <= self.tally.dropped, "only dropped units are missing");
        Ok(self.tally)
    }
}

/// Returns unit number `number`. Items are JSON strings full of commas.
fn unit(number: u64, bytes: usize, is_item: bool) -> Vec<u8> {
    if is_item {
        return format!("\"{number}{}\"", ",".repeat(bytes)).into_bytes();
    }
    (number..number + bytes as u64).map(|at| (at * 31 % 251) as u8).collect()
}

fn steps(sizes: impl Strategy<Value = (usize, usize)>, length: usize) -> impl Strategy<Value = Vec<Step>> {
    let from = prop_oneof![
        3 => Just(From::Oldest),
        2 => (0..4_u64).prop_map(From::Kept),
        2 => (0..4_u64).prop_map(From::End),
        1 => (1..3_u64).prop_map(From::Behind),
    ];
    let position = prop_oneof![
        Just(Position::Zero),
        Just(Position::Read),
        (0..4_u64).prop_map(Position::Given),
        (1..9_u64).prop_map(Position::Beyond),
    ];
    let who = || prop_oneof![8 => Just(None), 3 => (0..3_u8).prop_map(Some), 1 => (0..40_u8).prop_map(Some)];
    // The next chunk, one of those after it, one that was given, and two that it can't get.
    let chunk = prop_oneof![8 => Just(NEXT), 5 => NEXT + 1..NEXT + WINDOW, 4 => 1..NEXT, 1 => Just(0), 1 => Just(NEXT + WINDOW)];
    let step = prop_oneof![
        8 => (sizes, any::<bool>()).prop_map(|((units, bytes), drops)| Step::Push { units, bytes, drops }),
        12 => (who(), chunk, from, prop::bool::weighted(0.8))
            .prop_map(|(who, chunk, from, arrives)| Step::Ask { who, chunk, from, arrives }),
        2 => Just(Step::Retry),
        2 => (who(), position).prop_map(|(who, position)| Step::Stop { who, position }),
        2 => who().prop_map(|who| Step::Lose { who }),
        3 => Just(Step::Idle),
        1 => prop::bool::weighted(0.1).prop_map(|end| if end { Step::End } else { Step::Push { units: 0, bytes: 0, drops: false } }),
    ];
    prop::collection::vec(step, 1..length)
}

fn small() -> impl Strategy<Value = (Bounds, Vec<Step>)> {
    let bounds =
        (0..9_usize, prop_oneof![1 => 1..8_usize, 4 => 8..80_usize]).prop_map(|(items, bytes)| Bounds { items, bytes });
    let sizes = prop_oneof![8 => (1..6_usize, 1..6_usize), 2 => (1..3_usize, 6..40_usize), 1 => Just((1, 100))];
    (bounds, steps(sizes, 60))
}

/// Sizes like those of real chunks and buffers.
fn large() -> impl Strategy<Value = (Bounds, Vec<Step>)> {
    let bounds = prop_oneof![
        1 => Just(Bounds::default()),
        3 => (1_000..40_000_usize, 100_000..3_000_000_usize).prop_map(|(items, bytes)| Bounds { items, bytes }),
    ];
    let sizes = prop_oneof![
        4 => (1..12_000_usize, 1..4_usize),
        3 => (1..5_usize, 1..700_000_usize),
        1 => (1..3_usize, 1_000_000..2_000_000_usize),
    ];
    (bounds, steps(sizes, 30))
}

fn check(
    cases: u32,
    scripts: impl Strategy<Value = (Bounds, Vec<Step>)>,
    of_bytes: bool,
    readers: Readers,
    thorough: bool,
) -> Vec<Tally> {
    let tallies = std::cell::RefCell::new(Vec::new());
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    // The few large cases are the same each time: so few random ones might cover nothing.
    let mut runner = if thorough {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let ran = runner.run(&scripts, |(bounds, steps)| {
        let mut pair = Pair::new(bounds, of_bytes, readers, thorough);
        for step in &steps {
            pair.step(step)?;
        }
        tallies.borrow_mut().push(pair.drain()?);
        Ok(())
    });
    match ran {
        Ok(()) => {}
        // One step per line: proptest would put each field on a line of its own.
        Err(TestError::Fail(why, (bounds, steps))) => {
            let steps: Vec<_> = steps.iter().map(|step| format!("    {step:?}")).collect();
            panic!("{why}\nwithin {bounds:?} after:\n{}", steps.join("\n"));
        }
        Err(error) => panic!("{error}"),
    }
    tallies.into_inner()
}

/// Returns the sum of a count over all cases.
fn count<T: Into<u64>>(tallies: &[Tally], of: impl Fn(&Tally) -> T) -> u64 {
    tallies.iter().map(|tally| of(tally).into()).sum()
}

fn sum(tallies: &[Tally], of: impl Fn(&Tally) -> usize) -> u64 {
    count(tallies, |tally| of(tally) as u64)
}

#[test]
fn items_follow_the_model() {
    let tallies = check(CASES, small(), false, Readers::Wild, true);
    for (what, seen) in [
        ("full", sum(&tallies, |tally| tally.full)),
        ("dropped", count(&tallies, |tally| tally.dropped)),
        ("again", sum(&tallies, |tally| tally.again)),
        ("early", sum(&tallies, |tally| tally.early)),
        ("locked", sum(&tallies, |tally| tally.locked)),
        ("gone", sum(&tallies, |tally| tally.gone)),
        ("beyond", sum(&tallies, |tally| tally.beyond)),
        ("missed", sum(&tallies, |tally| tally.missed)),
        ("taken for gone", sum(&tallies, |tally| tally.idle)),
        ("told what they missed meanwhile", sum(&tallies, |tally| tally.idled_missed)),
        ("of one attempt before another", sum(&tallies, |tally| tally.cut)),
        ("beside frozen ones", sum(&tallies, |tally| tally.beside_frozen)),
    ] {
        assert!(seen > 50, "{what}: {seen} times only");
    }
}

#[test]
fn bytes_follow_the_model() {
    let tallies = check(CASES, small(), true, Readers::Wild, true);
    assert!(sum(&tallies, |tally| tally.chunks) > 1_000 && sum(&tallies, |tally| tally.missed) > 50);
}

#[test]
fn items_reach_reloading_clients_once_and_in_order() {
    let tallies = check(CASES, small(), false, Readers::Careful, true);
    assert!(sum(&tallies, |tally| tally.missed) > 50 && sum(&tallies, |tally| tally.again) > 50);
    assert!(sum(&tallies, |tally| tally.idle) > 50 && sum(&tallies, |tally| tally.idled_missed) > 20);
}

#[test]
fn bytes_reach_reloading_clients_once_and_in_order() {
    let tallies = check(CASES, small(), true, Readers::Careful, true);
    assert!(sum(&tallies, |tally| tally.missed) > 50 && sum(&tallies, |tally| tally.again) > 50);
}

#[test]
fn many_or_large_items_are_read_in_chunks_of_bounded_size() {
    for readers in [Readers::Wild, Readers::Careful] {
        let tallies = check(LARGE_CASES, large(), false, readers, false);
        assert!(sum(&tallies, |tally| tally.chunks) > 0);
    }
}

#[test]
fn many_bytes_are_read_in_chunks_of_bounded_size() {
    for readers in [Readers::Wild, Readers::Careful] {
        let tallies = check(LARGE_CASES, large(), true, readers, false);
        assert!(sum(&tallies, |tally| tally.chunks) > 0);
    }
}

// Cases that random steps rarely cover.

fn ask(reader: &str, chunk: u64) -> Ask<'_> {
    Ask { reader, label: reader, chunk, from: None, holds: WINDOW }
}

#[test]
fn a_reader_that_holds_a_chunk_as_large_as_the_buffer_still_gets_the_next_one() {
    let mut buffer = ItemBuffer::new(Bounds { items: 2, bytes: 1_000 });
    assert!(buffer.push_item(b"0", 1) && buffer.push_item(b"1", 1) && !buffer.push_item(b"2", 1));
    assert_eq!(buffer.ask(ask("r", 1)).unwrap().unwrap().segment.unwrap().data(), b"0,1");
    assert!(buffer.ask(ask("r", 2)).unwrap().is_none());
    assert!(buffer.push_item(b"2", 1), "otherwise handler and reader would wait for each other");
    assert!(!buffer.push_item(b"3", 1));
    assert_eq!(buffer.ask(ask("r", 2)).unwrap().unwrap().segment.unwrap().data(), b"2");
}

#[test]
fn a_reader_that_holds_nothing_leaves_the_whole_buffer_free() {
    let mut buffer = ItemBuffer::new(Bounds { items: 4, bytes: 1_000 });
    for chunk in 1..10 {
        // A reader in Rust, too, holds no earlier chunk.
        let asks = |buffer: &mut ItemBuffer| buffer.ask(Ask { holds: 1, ..ask("r", chunk) });
        assert!(asks(&mut buffer).unwrap().is_none());
        while buffer.push_item(b"0", 1) {}
        assert_eq!(asks(&mut buffer).unwrap().unwrap().segment.unwrap().len(), 4, "chunk {chunk}");
    }
}

#[test]
fn units_from_before_a_request_are_in_one_chunk_if_they_fit() {
    let mut buffer = ItemBuffer::new(Bounds::default());
    for _ in 0..=CHUNK_ITEMS {
        assert!(buffer.push_item(b"0", 1));
    }
    let mut lengths = (1..3).map(|chunk| buffer.ask(ask("r", chunk)).unwrap().unwrap().segment.unwrap().len());
    assert_eq!((lengths.next(), lengths.next()), (Some(CHUNK_ITEMS), Some(1)));
}

#[test]
fn a_buffer_for_no_items_holds_one_item_or_any_bytes_within_the_other_bound() {
    let none = Bounds { items: 0, bytes: 100 };
    let mut items = ItemBuffer::new(none);
    assert!(items.push_item(b"0", 1) && !items.push_item(b"1", 1));
    items.make_room(1);
    assert!(items.push_item(b"1", 1));
    let mut bytes = ItemBuffer::new(none);
    assert!(bytes.push_bytes(b"abc", 1) && bytes.push_bytes(b"def", 1), "only the other bound counts for bytes");
    bytes.make_room(96);
    assert!(bytes.push_bytes(&[0; 96], 1));
    assert_eq!(bytes.ask(ask("r", 1)).unwrap().unwrap().missed, 2);
}

#[test]
fn only_the_names_of_the_last_readers_are_remembered() {
    let mut buffer = ItemBuffer::new(Bounds::default());
    for name in 0..1_000 {
        assert!(buffer.ask(ask(&name.to_string(), 1)).unwrap().is_none());
        assert!(buffer.lose(&name.to_string()) && !buffer.lose(&name.to_string()));
    }
    assert_eq!(buffer.gone.len(), GONE_LIMIT);
    assert_eq!(buffer.ask(ask("999", 1)).unwrap_err(), ReadRefusal::Gone);
    assert_eq!(buffer.ask(ask("984", 2)).unwrap_err(), ReadRefusal::Gone);
}

#[test]
fn a_reader_idles_only_while_it_leaves_something_and_has_no_request_under_way() {
    let mut buffer = ItemBuffer::new(Bounds { items: 4, bytes: 1_000 });
    assert!(buffer.push_item(b"0", 1));
    assert_eq!(buffer.idles(), None, "there is no reader");
    assert!(buffer.ask(ask("r", 1)).unwrap().is_some());
    assert_eq!(buffer.idles(), None, "it has everything");
    assert!(buffer.push_item(b"1", 1));
    let before = buffer.idles().unwrap();
    assert_eq!(buffer.idles(), Some(before), "nothing has changed");
    // A request that has to wait for the one before it.
    assert!(buffer.ask(ask("r", 3)).unwrap().is_none());
    let number = buffer.begin_wait("r");
    let of_another = buffer.begin_wait("another");
    assert_eq!(buffer.idles(), None, "a request is under way");
    assert!(!buffer.end_wait(of_another));
    assert_eq!(buffer.idles(), None);
    assert!(buffer.end_wait(number));
    let after = buffer.idles().unwrap();
    assert_ne!(after, before, "it has asked in between");
    assert!(!buffer.lose_idle(before) && buffer.lose_idle(after));
    assert_eq!(buffer.ask(ask("r", 2)).err(), Some(ReadRefusal::Idled { missed: 0 }));
}

#[test]
fn no_bytes_take_no_room() {
    let mut buffer = ItemBuffer::new(Bounds { items: 1, bytes: 1 });
    assert!(buffer.push_bytes(b"", 1) && buffer.push_bytes(b"0", 1) && buffer.push_bytes(b"", 1));
    assert_eq!(buffer.ask(ask("r", 1)).unwrap().unwrap().data(), b"0");
}
