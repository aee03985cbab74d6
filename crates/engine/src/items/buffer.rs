//! What a task has emitted and its reader has not let go of, as plain data.
//!
//! A unit is an item, or one byte of a task that emits bytes. Invariants:
//! - units are numbered from 0 in the order they came, and those that are kept follow each other up to the newest;
//! - what is kept is within the [`Bounds`], but for a unit that comes while none waits to be given out: a reader that holds
//!   batches as large as the buffer would else never get the next one, for which it lets go of them;
//! - there is one reader at most. A batch that it was answered is frozen: the same whenever it asks again;
//! - to ask for a batch lets go of all but those that the reader says it holds, and of nothing else: at most [`WINDOW`], so no
//!   more are frozen;
//! - what a reader that goes has not let go of is there for the next one.

use std::collections::VecDeque;

use super::segment::Segment;
use crate::{
    error::{Error, refusal::Refusal},
    policy::item_buffer::Bounds,
    task::id::TaskId,
};

/// How many batches a reader may have asked for and not let go of: with several on their way at a time, none waits for the road
/// of the one before it.
pub const WINDOW: u64 = 4;

/// How many names of readers that have gone are remembered: their calls may come late.
const GONE_LIMIT: usize = 16;

#[derive(Debug)]
pub(crate) struct ItemBuffer {
    bounds: Bounds,
    /// Those of frozen batches come first.
    segments: VecDeque<Segment>,
    /// The number of the next unit to come.
    next: u64,
    /// Everything before this number was read.
    read: u64,
    items: usize,
    bytes: usize,
    reader: Option<Reader>,
    gone: VecDeque<Box<str>>,
    /// Nothing more comes.
    done: bool,
}

#[derive(Debug)]
struct Reader {
    name: Box<str>,
    /// The number of the unit that it should get next.
    expected: u64,
    /// The number of the batch that is frozen next.
    next_batch: u64,
    frozen: VecDeque<(u64, Batch)>,
}

/// What is answered to a reader.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The number of its first unit.
    pub sequence: u64,
    /// How many units that the reader should have got before were dropped.
    pub missed: u64,
    /// Nothing comes after it.
    pub done: bool,
    /// `None` if it has no units.
    pub(crate) segment: Option<Segment>,
}

impl Batch {
    /// Whether its units are bytes.
    pub fn is_bytes(&self) -> bool {
        self.segment.as_ref().is_some_and(Segment::is_bytes)
    }

    /// Its units: items as JSON with commas between them, or bytes.
    pub fn data(&self) -> &[u8] {
        self.segment.as_ref().map_or(&[], Segment::data)
    }
}

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Its name.
    pub reader: &'a str,
    /// Which batch, from 1.
    pub batch: u64,
    /// How many batches it may still need, with this one: up to [`WINDOW`]. Those before are let go of.
    pub holds: u64,
    /// The number of the unit that it begins with; `None` for the oldest that was not read.
    pub from: Option<u64>,
}

/// Why a reader gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadRefusal {
    /// There is another reader.
    Locked,
    /// The reader has gone, or it asks for what it has let go of or what comes too early.
    Gone,
    /// It wants to begin behind this number, which is the next to come.
    Beyond(u64),
}

impl ReadRefusal {
    /// The error for a reader of this task.
    pub fn of(self, id: TaskId) -> Error {
        let id = id.to_string();
        match self {
            Self::Locked => Refusal::Locked { id },
            Self::Gone => Refusal::ReaderGone { id },
            Self::Beyond(next) => Refusal::InvalidOptions {
                path: "from".into(),
                problem: format!("task {id} has emitted {next} items so far, so {next} is the largest number allowed"),
            },
        }
        .into()
    }
}

impl ItemBuffer {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            segments: VecDeque::new(),
            next: 0,
            read: 0,
            items: 0,
            bytes: 0,
            reader: None,
            gone: VecDeque::new(),
            done: false,
        }
    }

    // The handler's side.

    /// Takes an item, as JSON, if there is room for it.
    #[must_use]
    pub(crate) fn push_item(&mut self, json: &[u8]) -> bool {
        let pushed = self.push(json, 1, Segment::items);
        self.items += usize::from(pushed);
        pushed
    }

    /// Takes bytes, all or none.
    #[must_use]
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> bool {
        self.push(bytes, bytes.len() as u64, Segment::bytes)
    }

    fn push(&mut self, data: &[u8], units: u64, new: fn(u64) -> Segment) -> bool {
        if !self.has_room(data.len()) {
            return false;
        }
        let frozen = self.frozen_segments();
        let open = self.segments.iter_mut().skip(frozen).next_back();
        let added = open.and_then(|open| open.add(data).then(|| usize::from(!open.is_bytes())));
        if added.is_none() {
            let mut open = new(self.next);
            open.add(data);
            self.segments.push_back(open);
        }
        self.next += units;
        // With its comma.
        self.bytes += data.len() + added.unwrap_or(0);
        true
    }

    fn has_room(&self, bytes: usize) -> bool {
        let comma = usize::from(self.items > 0);
        let fits = (self.items == 0 || self.items < self.bounds.items)
            && self.bytes.saturating_add(bytes).saturating_add(comma) <= self.bounds.bytes;
        fits || self.frozen_segments() == self.segments.len()
    }

    /// Drops the oldest units until there is room for so many bytes. Not while there is a reader.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        while !self.has_room(bytes) {
            let excess = (self.bytes + bytes).saturating_sub(self.bounds.bytes);
            let units = if self.segments.front().is_some_and(Segment::is_bytes) { excess } else { 1 };
            self.let_go(units);
        }
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.done = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// How many bytes are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    // The reader's side.

    pub(crate) fn has_reader(&self) -> bool {
        self.reader.is_some()
    }

    pub(crate) fn is_read_by(&self, name: &str) -> bool {
        self.reader.as_ref().is_some_and(|reader| *reader.name == *name)
    }

    /// The batch that is asked for; `None` if it has to be waited for. An unknown reader becomes the reader, if there is none.
    pub(crate) fn ask(&mut self, ask: Ask<'_>) -> Result<Option<Batch>, ReadRefusal> {
        self.attach(ask)?;
        let Some(reader) = &mut self.reader else { return Err(ReadRefusal::Gone) };
        if let Some((_, batch)) = reader.frozen.iter().find(|(number, _)| *number == ask.batch) {
            let batch = batch.clone();
            self.let_go_before(ask.first_held());
            return Ok(Some(batch));
        }
        let next = reader.next_batch;
        if !(next..next + WINDOW).contains(&ask.batch) {
            return Err(ReadRefusal::Gone);
        }
        self.let_go_before(ask.first_held());
        // Of several that are on their way at once a later one may come first.
        Ok(if ask.batch == next { self.freeze() } else { None })
    }

    /// Lets go of the frozen batches before this one.
    fn let_go_before(&mut self, batch: u64) {
        let Some(reader) = &mut self.reader else { return };
        let kept = reader.frozen.partition_point(|(number, _)| *number < batch);
        let gone: Vec<_> = reader.frozen.drain(..kept).collect();
        for (_, Batch { segment, .. }) in gone {
            self.read_to(segment.map_or(0, |segment| segment.end()));
        }
    }

    fn attach(&mut self, ask: Ask<'_>) -> Result<(), ReadRefusal> {
        match &self.reader {
            Some(_) if self.is_read_by(ask.reader) => return Ok(()),
            _ if self.gone.iter().any(|name| **name == *ask.reader) => return Err(ReadRefusal::Gone),
            Some(_) => return Err(ReadRefusal::Locked),
            None => {}
        }
        if !(1..=WINDOW).contains(&ask.batch) {
            return Err(ReadRefusal::Gone);
        }
        let expected = ask.from.unwrap_or(self.read);
        if expected > self.next {
            return Err(ReadRefusal::Beyond(self.next));
        }
        self.read_to(expected);
        self.reader = Some(Reader { name: ask.reader.into(), expected, next_batch: 1, frozen: VecDeque::new() });
        Ok(())
    }

    /// The next batch: as many units as came together since the last one.
    fn freeze(&mut self) -> Option<Batch> {
        let frozen = self.frozen_segments();
        let reader = self.reader.as_mut()?;
        let segment = self.segments.get(frozen).cloned();
        if segment.is_none() && !self.done {
            return None;
        }
        let sequence = segment.as_ref().map_or(self.next, Segment::first);
        let end = segment.as_ref().map_or(self.next, Segment::end);
        let batch = Batch {
            sequence,
            missed: sequence.saturating_sub(reader.expected),
            done: self.done && end == self.next,
            segment,
        };
        reader.expected = end;
        reader.frozen.push_back((reader.next_batch, batch.clone()));
        reader.next_batch += 1;
        Some(batch)
    }

    /// The reader stops: all before number `position` counts as read. It may not come again. Answers whether it was the reader.
    pub(crate) fn stop(&mut self, name: &str, position: u64) -> bool {
        let stopped = self.lose(name);
        if stopped {
            // It may have got more in an earlier session than it was answered in this one.
            self.read_to(position.min(self.next));
        }
        stopped
    }

    /// The reader has gone without a word. It may not come again either. Answers whether it was the reader.
    pub(crate) fn lose(&mut self, name: &str) -> bool {
        if !self.gone.iter().any(|gone| **gone == *name) {
            self.gone.push_back(name.into());
            let excess = self.gone.len().saturating_sub(GONE_LIMIT);
            self.gone.drain(..excess);
        }
        self.reader.take_if(|reader| *reader.name == *name).is_some()
    }

    fn frozen_segments(&self) -> usize {
        let frozen = self.reader.iter().flat_map(|reader| &reader.frozen);
        frozen.filter(|(_, batch)| batch.segment.is_some()).count()
    }

    /// Everything before this number was read.
    fn read_to(&mut self, number: u64) {
        self.read = self.read.max(number);
        while let Some(first) = self.segments.front().map(Segment::first)
            && first < number
        {
            self.let_go(usize::try_from(number - first).unwrap_or(usize::MAX));
        }
    }

    /// Lets go of so many units of the oldest segment.
    fn let_go(&mut self, units: usize) {
        let Some(segment) = self.segments.front_mut() else { return };
        let (len, bytes) = (segment.len(), segment.data().len());
        segment.let_go(units);
        if !segment.is_bytes() {
            self.items -= len - segment.len();
        }
        self.bytes -= bytes - segment.data().len();
        if segment.len() == 0 {
            self.segments.pop_front();
        }
    }
}

impl Ask<'_> {
    /// The first batch that it may still need.
    fn first_held(self) -> u64 {
        (self.batch + 1).saturating_sub(self.holds)
    }
}

#[cfg(test)]
mod tests;
