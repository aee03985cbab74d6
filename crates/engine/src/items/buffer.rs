//! The units that a task has emitted and its reader may still need, as plain data.
//!
//! A unit is an item, or one byte of a task that emits bytes. A reader *releases* units that it no longer needs.
//! Invariants:
//! - units are numbered from 0 in the order in which they came. Those that are kept have no gaps, up to the newest;
//! - a chunk has units of one attempt only;
//! - what is kept is within the [`Bounds`], with one exception: if all kept units are frozen, another unit is always
//!   taken. Otherwise a reader could hold chunks that fill the buffer, and wait forever for the next one;
//! - there is at most one reader. A chunk that it was given is frozen: it gets the same chunk if it asks again;
//! - a reader says with each request how many chunks it holds, at most [`WINDOW`]. The request releases all earlier
//!   ones and nothing else, so at most that many are frozen;
//! - what a reader has not released when it goes is kept for the next one;
//! - a reader that was taken for gone, because it did not ask, is told what it has missed if it asks after all.

use std::collections::VecDeque;

use super::segment::Segment;
use crate::{
    error::{Error, refusal::Refusal},
    policy::item_buffer::Bounds,
    task::id::TaskId,
};

/// How many chunks a reader may have asked for and not released. With several requests in flight, none has to wait for
/// the round trip of the one before.
pub const WINDOW: u64 = 4;

/// How many names of former readers are remembered, so that their late calls are refused.
const GONE_LIMIT: usize = 16;

#[derive(Debug)]
pub(crate) struct ItemBuffer {
    bounds: Bounds,
    /// The segments of frozen chunks come first.
    segments: VecDeque<Segment>,
    /// The number of the next unit that is emitted.
    next: u64,
    /// The attempt that has emitted the newest unit; 0 before the first unit.
    attempt: u32,
    /// All units before this number have been read.
    read: u64,
    items: usize,
    bytes: usize,
    reader: Option<CurrentReader>,
    /// How many readers there have been.
    readers: u64,
    gone: VecDeque<FormerReader>,
    /// How often the readers have asked, or have stopped waiting for an answer.
    asks: u64,
    /// Nothing more will be emitted.
    done: bool,
}

#[derive(Debug)]
struct CurrentReader {
    name: Box<str>,
    /// Its number among all readers, of which several may have had its name.
    number: u64,
    /// Whom it belongs to.
    label: Box<str>,
    /// How many of its requests wait for an answer.
    waiting: usize,
    /// The log says that it does not ask.
    is_told: bool,
    /// The number of the unit that it gets next, unless that is dropped.
    expected: u64,
    /// The number of the chunk that is frozen next.
    next_chunk: u64,
    frozen: VecDeque<(u64, Chunk)>,
}

#[derive(Debug)]
struct FormerReader {
    name: Box<str>,
    /// The number of the unit that it would have got next if it had not been taken for gone; `None` if it has stopped or
    /// was lost.
    expected: Option<u64>,
}

/// A chunk of units for a reader.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The number of its first unit.
    pub sequence: u64,
    /// How many units right before it were dropped unread.
    pub missed: u64,
    /// Whether it is the last one.
    pub done: bool,
    /// The number of the attempt that has emitted its units: all of them. If it is empty, the attempt of the last unit
    /// before it; 0 if there is none.
    pub attempt: u32,
    /// `None` if it is empty.
    pub(crate) segment: Option<Segment>,
}

impl Chunk {
    /// Returns whether its units are bytes.
    pub fn is_bytes(&self) -> bool {
        self.segment.as_ref().is_some_and(Segment::is_bytes)
    }

    /// Returns its units: items as JSON, separated by commas, or bytes.
    pub fn data(&self) -> &[u8] {
        self.segment.as_ref().map_or(&[], Segment::data)
    }
}

/// A reader's request for a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The reader's name.
    pub reader: &'a str,
    /// Whom the reader belongs to, for the log. What a new reader says first counts.
    pub label: &'a str,
    /// The number of the chunk, from 1.
    pub chunk: u64,
    /// How many chunks the reader may still need, including this one: at most [`WINDOW`]. Earlier ones are released.
    pub holds: u64,
    /// The number of the unit that a new reader begins with; `None` for the oldest unread one.
    pub from: Option<u64>,
}

/// Why a reader is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadRefusal {
    /// The task has another reader.
    Locked,
    /// The reader has gone, or it asks for a chunk that it has released or may not ask for yet.
    Gone,
    /// The reader did not ask for longer than the kind allows, and so was taken for gone. Since then this many units that it
    /// had not got were dropped, or read by another reader.
    Idled {
        /// How many units it has missed.
        missed: u64,
    },
    /// It asks to begin beyond this number, which is that of the next unit.
    Beyond(u64),
}

impl ReadRefusal {
    /// Returns the error for a reader of the task `id`.
    pub fn of(self, id: TaskId) -> Error {
        let id = id.to_string();
        match self {
            Self::Locked => Refusal::Locked { id },
            Self::Gone => Refusal::ReaderGone { id },
            Self::Idled { missed } => Refusal::ReaderIdled { id, missed },
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
            attempt: 0,
            read: 0,
            items: 0,
            bytes: 0,
            reader: None,
            readers: 0,
            gone: VecDeque::new(),
            asks: 0,
            done: false,
        }
    }

    // The handler's side.

    /// Returns the number of the unit that is emitted next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Adds an item of an attempt, as JSON. Returns `false` if there is no room for it.
    #[must_use]
    pub(crate) fn push_item(&mut self, json: &[u8], attempt: u32) -> bool {
        let pushed = self.push(json, 1, attempt, Segment::items);
        self.items += usize::from(pushed);
        pushed
    }

    /// Adds bytes of an attempt: all of them or none. Returns `false` if there is no room for them.
    #[must_use]
    pub(crate) fn push_bytes(&mut self, bytes: &[u8], attempt: u32) -> bool {
        // A segment has at least one unit.
        bytes.is_empty() || self.push(bytes, bytes.len() as u64, attempt, Segment::bytes)
    }

    fn push(&mut self, data: &[u8], units: u64, attempt: u32, new: fn(u64, u32) -> Segment) -> bool {
        if !self.has_room(data.len()) {
            return false;
        }
        let frozen = self.frozen_segments();
        let open = self.segments.iter_mut().skip(frozen).next_back().filter(|open| open.attempt() == attempt);
        let added = open.and_then(|open| open.add(data).then(|| usize::from(!open.is_bytes())));
        if added.is_none() {
            let mut open = new(self.next, attempt);
            open.add(data);
            self.segments.push_back(open);
        }
        self.next += units;
        self.attempt = attempt;
        // Including its comma.
        self.bytes += data.len() + added.unwrap_or(0);
        true
    }

    fn has_room(&self, bytes: usize) -> bool {
        let comma = usize::from(self.items > 0);
        let fits = (self.items == 0 || self.items < self.bounds.items)
            && self.bytes.saturating_add(bytes).saturating_add(comma) <= self.bounds.bytes;
        fits || self.frozen_segments() == self.segments.len()
    }

    /// Drops the oldest units until this many bytes fit. Don't call it while there is a reader.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        while !self.has_room(bytes) {
            let excess = (self.bytes + bytes).saturating_sub(self.bounds.bytes);
            let units = if self.segments.front().is_some_and(Segment::is_bytes) { excess } else { 1 };
            self.let_go(units);
        }
    }

    /// Returns the number of the oldest unit that is kept, or of the next one.
    fn first_kept(&self) -> u64 {
        self.segments.front().map_or(self.next, Segment::first)
    }

    /// Notes that nothing more will be emitted.
    pub(crate) fn end(&mut self) {
        self.done = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Returns how many bytes are kept.
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

    /// Returns the chunk that is asked for, or `None` if the reader has to wait for it. If there is no reader, the one
    /// that asks becomes the reader.
    pub(crate) fn ask(&mut self, ask: Ask<'_>) -> Result<Option<Chunk>, ReadRefusal> {
        self.attach(ask)?;
        self.asks += 1;
        let Some(reader) = &mut self.reader else { return Err(ReadRefusal::Gone) };
        if let Some((_, chunk)) = reader.frozen.iter().find(|(number, _)| *number == ask.chunk) {
            let chunk = chunk.clone();
            self.let_go_before(ask.first_held());
            return Ok(Some(chunk));
        }
        let next = reader.next_chunk;
        if !(next..next + WINDOW).contains(&ask.chunk) {
            return Err(ReadRefusal::Gone);
        }
        self.let_go_before(ask.first_held());
        // Of several requests in flight, a later one may arrive first.
        Ok(if ask.chunk == next { self.freeze() } else { None })
    }

    /// Releases the frozen chunks before number `chunk`.
    fn let_go_before(&mut self, chunk: u64) {
        let Some(reader) = &mut self.reader else { return };
        let kept = reader.frozen.partition_point(|(number, _)| *number < chunk);
        let gone: Vec<_> = reader.frozen.drain(..kept).collect();
        for (_, Chunk { segment, .. }) in gone {
            self.read_to(segment.map_or(0, |segment| segment.end()));
        }
    }

    fn attach(&mut self, ask: Ask<'_>) -> Result<(), ReadRefusal> {
        match &self.reader {
            Some(_) if self.is_read_by(ask.reader) => return Ok(()),
            reader => {
                if let Some(gone) = self.gone.iter().find(|gone| *gone.name == *ask.reader) {
                    let missed = |expected| self.first_kept().saturating_sub(expected);
                    let idled = gone.expected.map(|expected| ReadRefusal::Idled { missed: missed(expected) });
                    return Err(idled.unwrap_or(ReadRefusal::Gone));
                }
                if reader.is_some() {
                    return Err(ReadRefusal::Locked);
                }
            }
        }
        if !(1..=WINDOW).contains(&ask.chunk) {
            return Err(ReadRefusal::Gone);
        }
        let expected = ask.from.unwrap_or(self.read);
        if expected > self.next {
            return Err(ReadRefusal::Beyond(self.next));
        }
        self.read_to(expected);
        self.readers += 1;
        self.reader = Some(CurrentReader {
            name: ask.reader.into(),
            number: self.readers,
            label: ask.label.into(),
            waiting: 0,
            is_told: false,
            expected,
            next_chunk: 1,
            frozen: VecDeque::new(),
        });
        Ok(())
    }

    /// Freezes and returns the next chunk: the units that were emitted since the last one, as many as fit in a chunk.
    fn freeze(&mut self) -> Option<Chunk> {
        let frozen = self.frozen_segments();
        let reader = self.reader.as_mut()?;
        let segment = self.segments.get(frozen).cloned();
        if segment.is_none() && !self.done {
            return None;
        }
        let sequence = segment.as_ref().map_or(self.next, Segment::first);
        let end = segment.as_ref().map_or(self.next, Segment::end);
        let chunk = Chunk {
            sequence,
            missed: sequence.saturating_sub(reader.expected),
            done: self.done && end == self.next,
            attempt: segment.as_ref().map_or(self.attempt, Segment::attempt),
            segment,
        };
        reader.expected = end;
        reader.frozen.push_back((reader.next_chunk, chunk.clone()));
        reader.next_chunk += 1;
        Some(chunk)
    }

    /// Notes that a request of the reader `name` begins to wait for an answer. Returns the reader's number, or `None` if it
    /// is not the current one.
    pub(crate) fn begin_wait(&mut self, name: &str) -> Option<u64> {
        let reader = self.reader.as_mut().filter(|reader| *reader.name == *name)?;
        reader.waiting += 1;
        Some(reader.number)
    }

    /// Undoes [`begin_wait`](Self::begin_wait), which has returned `number`. Up to now, the reader has asked. Returns whether
    /// it is still the current one.
    pub(crate) fn end_wait(&mut self, number: Option<u64>) -> bool {
        let Some(reader) = self.reader.as_mut().filter(|reader| Some(reader.number) == number) else { return false };
        reader.waiting -= 1;
        self.asks += 1;
        true
    }

    /// If the reader has units to ask for and no request under way, returns a number that remains the same until it
    /// asks. Otherwise returns `None`.
    pub(crate) fn idles(&self) -> Option<u64> {
        let reader = self.reader.as_ref()?;
        let has_unread = self.segments.len() > self.frozen_segments();
        (has_unread && reader.waiting == 0).then_some(self.asks)
    }

    /// Removes the reader, which is taken for gone, if it [`idles`](Self::idles) and that returns this number. Later calls
    /// with its name are refused. Returns whether it was removed.
    pub(crate) fn lose_idle(&mut self, asks: u64) -> bool {
        if self.idles() != Some(asks) {
            return false;
        }
        let Some(CurrentReader { name, expected, .. }) = self.reader.take() else { return false };
        self.note_gone(FormerReader { name, expected: Some(expected) });
        true
    }

    /// Whether the log already says of this reader that it does not ask.
    pub(crate) fn is_told(&self) -> bool {
        self.reader.as_ref().is_none_or(|reader| reader.is_told)
    }

    /// Returns whom the reader belongs to, once for each reader.
    pub(crate) fn tell(&mut self) -> Option<Box<str>> {
        let reader = self.reader.as_mut().filter(|reader| !reader.is_told)?;
        reader.is_told = true;
        Some(reader.label.clone())
    }

    /// Removes the reader `name`, which has stopped. All units before number `position` count as read. So they do if the
    /// reader was taken for gone and there is no other one. Later calls with this name are refused. Returns whether `name`
    /// was the current reader.
    pub(crate) fn stop(&mut self, name: &str, position: u64) -> bool {
        let position = position.min(self.next);
        let mut expected =
            self.gone.iter_mut().filter(|gone| *gone.name == *name).find_map(|gone| gone.expected.as_mut());
        if let Some(expected) = &mut expected {
            **expected = position.max(**expected);
        }
        let is_free = expected.is_some() && self.reader.is_none();
        let stopped = self.lose(name);
        if stopped || is_free {
            // It may have read more than the chunks that it was given here.
            self.read_to(position);
        }
        stopped
    }

    /// Removes the reader `name`, which was lost. Later calls with this name are refused. Returns whether `name` was
    /// the current reader.
    pub(crate) fn lose(&mut self, name: &str) -> bool {
        if !self.gone.iter().any(|gone| *gone.name == *name) {
            self.note_gone(FormerReader { name: name.into(), expected: None });
        }
        self.reader.take_if(|reader| *reader.name == *name).is_some()
    }

    fn note_gone(&mut self, gone: FormerReader) {
        self.gone.push_back(gone);
        let excess = self.gone.len().saturating_sub(GONE_LIMIT);
        self.gone.drain(..excess);
    }

    fn frozen_segments(&self) -> usize {
        let frozen = self.reader.iter().flat_map(|reader| &reader.frozen);
        frozen.filter(|(_, chunk)| chunk.segment.is_some()).count()
    }

    /// Notes that all units before this number were read, and drops them.
    fn read_to(&mut self, number: u64) {
        self.read = self.read.max(number);
        while let Some(first) = self.segments.front().map(Segment::first)
            && first < number
        {
            self.let_go(usize::try_from(number - first).unwrap_or(usize::MAX));
        }
    }

    /// Drops this many units of the oldest segment.
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
    /// Returns the number of the first chunk that the reader may still need.
    fn first_held(self) -> u64 {
        (self.chunk + 1).saturating_sub(self.holds)
    }
}

#[cfg(test)]
mod tests;
