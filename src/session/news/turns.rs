use std::collections::BTreeMap;

/// Who waits for a turn, the longest waiting first. Each one keeps the number it got when it came.
#[derive(Debug)]
pub(in crate::session) struct Turns<K> {
    waiting: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Copy> Turns<K> {
    pub(in crate::session) fn new() -> Self {
        Self { waiting: BTreeMap::new(), next: 0 }
    }

    /// Answers its number.
    pub(in crate::session) fn join(&mut self, who: K) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, who);
        number
    }

    pub(in crate::session) fn leave(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// Whose turn it is, among those that came before number `end`.
    pub(in crate::session) fn first(&self, end: u64) -> Option<(u64, K)> {
        self.waiting.first_key_value().map(|(number, who)| (*number, *who)).filter(|(number, _)| *number < end)
    }

    /// The number of who comes next.
    pub(in crate::session) fn end(&self) -> u64 {
        self.next
    }

    pub(in crate::session) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
