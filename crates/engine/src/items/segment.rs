use std::sync::Arc;

/// The most items and the most bytes in a chunk; a single item may be larger. A client handles a chunk of this size in
/// less than a frame.
pub(crate) const CHUNK_ITEMS: usize = 4 * 1024;
pub(crate) const CHUNK_BYTES: usize = 1024 * 1024;

/// Consecutive units of one attempt in the form in which they are sent: items as JSON, separated by commas, or bytes.
/// Clones share the data.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// The number of the first unit that is left.
    first: u64,
    /// How many units before it were dropped.
    gone: usize,
    units: Arc<Units>,
}

#[derive(Debug)]
struct Units {
    /// The number of the attempt that has emitted them.
    attempt: u32,
    data: Vec<u8>,
    /// Where each item ends, without its comma; `None` if the units are bytes.
    ends: Option<Vec<u32>>,
}

impl Segment {
    /// Returns an empty segment of items of an attempt that begins with number `first`.
    pub(crate) fn items(first: u64, attempt: u32) -> Self {
        Self::new(first, attempt, Some(Vec::new()))
    }

    /// Returns an empty segment of bytes of an attempt that begins with number `first`.
    pub(crate) fn bytes(first: u64, attempt: u32) -> Self {
        Self::new(first, attempt, None)
    }

    fn new(first: u64, attempt: u32, ends: Option<Vec<u32>>) -> Self {
        Self { first, gone: 0, units: Arc::new(Units { attempt, data: Vec::new(), ends }) }
    }

    /// The number of the attempt that has emitted its units.
    pub(crate) fn attempt(&self) -> u32 {
        self.units.attempt
    }

    pub(crate) fn is_bytes(&self) -> bool {
        self.units.ends.is_none()
    }

    /// The number of the first unit that is left.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number after the last unit.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.len() as u64
    }

    /// How many units are left.
    pub(crate) fn len(&self) -> usize {
        self.units.ends.as_ref().map_or(self.units.data.len(), Vec::len) - self.gone
    }

    /// The units that are left.
    pub(crate) fn data(&self) -> &[u8] {
        &self.units.data[self.offset()..]
    }

    fn offset(&self) -> usize {
        match (&self.units.ends, self.gone) {
            (None, gone) => gone,
            (_, 0) => 0,
            // After its comma, if there is one.
            (Some(ends), gone) => (ends[gone - 1] as usize + 1).min(self.units.data.len()),
        }
    }

    /// Adds an item or bytes. Returns `false` if the segment is full or has been cloned.
    pub(crate) fn add(&mut self, data: &[u8]) -> bool {
        let Some(units) = Arc::get_mut(&mut self.units) else { return false };
        let is_full = units.data.len() + data.len() > CHUNK_BYTES
            || units.ends.as_ref().is_some_and(|ends| ends.len() == CHUNK_ITEMS);
        if is_full && !units.data.is_empty() {
            return false;
        }
        let Some(ends) = &mut units.ends else {
            units.data.extend_from_slice(data);
            return true;
        };
        let comma = usize::from(!ends.is_empty());
        let Ok(end) = u32::try_from(units.data.len() + comma + data.len()) else { return false };
        ends.push(end);
        units.data.extend_from_slice(&b","[..comma]);
        units.data.extend_from_slice(data);
        true
    }

    /// Drops this many units from the front.
    pub(crate) fn let_go(&mut self, units: usize) {
        let units = units.min(self.len());
        self.gone += units;
        self.first += units as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(items: &[&str]) -> Segment {
        let mut segment = Segment::items(10, 1);
        for item in items {
            assert!(segment.add(item.as_bytes()));
        }
        segment
    }

    #[test]
    fn items_are_separated_by_commas() {
        assert_eq!(segment(&[]).data(), b"");
        assert_eq!(segment(&["1"]).data(), b"1");
        assert_eq!(segment(&["1", "\"two\"", "3"]).data(), b"1,\"two\",3");
    }

    #[test]
    fn dropped_units_are_not_sent() {
        let mut items = segment(&["1", "\"two\"", "3"]);
        items.let_go(1);
        assert_eq!((items.data(), items.first(), items.end(), items.len()), (&b"\"two\",3"[..], 11, 13, 2));
        items.let_go(5);
        assert_eq!((items.data(), items.first(), items.end(), items.len()), (&b""[..], 13, 13, 0));
        let mut bytes = Segment::bytes(0, 1);
        assert!(bytes.add(b"abc") && bytes.add(b"def"));
        bytes.let_go(4);
        assert_eq!((bytes.data(), bytes.first(), bytes.len()), (&b"ef"[..], 4, 2));
    }

    #[test]
    fn the_size_of_a_chunk_is_limited() {
        let mut items = Segment::items(0, 1);
        let added = (0..=CHUNK_ITEMS).take_while(|_| items.add(b"1")).count();
        assert_eq!(added, CHUNK_ITEMS);
        let mut bytes = Segment::bytes(0, 1);
        assert!(bytes.add(&vec![0; CHUNK_BYTES]) && !bytes.add(b"1"));
        let mut large = Segment::items(0, 1);
        assert!(large.add(&vec![b' '; 2 * CHUNK_BYTES]), "a single item may be larger");
        assert!(!large.add(b"1"));
    }

    #[test]
    fn nothing_is_added_to_a_segment_that_is_being_sent() {
        let mut items = segment(&["1"]);
        let sent = items.clone();
        assert!(!items.add(b"2"));
        drop(sent);
        assert!(items.add(b"2"));
    }
}
