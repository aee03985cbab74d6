use std::collections::BTreeMap;

/// A first-in, first-out queue of keys. Each keeps the number that it got on joining.
#[derive(Debug)]
pub(in crate::session) struct Turns<K> {
    waiting: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Copy> Turns<K> {
    pub(in crate::session) fn new() -> Self {
        Self { waiting: BTreeMap::new(), next: 0 }
    }

    /// Adds `who` to the end of the queue. Returns its number.
    pub(in crate::session) fn join(&mut self, who: K) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, who);
        number
    }

    pub(in crate::session) fn leave(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// Returns the first key in the queue and its number, if that is lower than `end`.
    pub(in crate::session) fn first(&self, end: u64) -> Option<(u64, K)> {
        self.waiting.first_key_value().map(|(number, who)| (*number, *who)).filter(|(number, _)| *number < end)
    }

    /// Returns the number that the next key to join gets.
    pub(in crate::session) fn end(&self) -> u64 {
        self.next
    }

    pub(in crate::session) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
