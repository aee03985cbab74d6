/// More than what a message and a list change take beside their contents.
pub(in crate::session) const ENVELOPE: usize = 128;

/// What is left of a message.
pub(in crate::session) struct Room {
    left: usize,
    is_answer: bool,
    /// What fits into no message would hold up everything behind it.
    takes_any: bool,
}

impl Room {
    /// For a push of at most `limit` bytes.
    pub(in crate::session) fn for_push(limit: usize) -> Self {
        Self { left: limit - ENVELOPE, is_answer: false, takes_any: false }
    }

    /// For an answer of at most `limit` bytes, but for the first thing in each of its [parts](Self::next_part).
    pub(in crate::session) fn for_answer(limit: usize) -> Self {
        Self { is_answer: true, takes_any: true, ..Self::for_push(limit) }
    }

    /// Others come now.
    pub(in crate::session) fn next_part(&mut self) {
        self.takes_any = self.is_answer;
    }

    /// In bytes.
    pub(in crate::session) fn left(&self) -> usize {
        self.left
    }

    /// Whether it takes `size` bytes and leaves `reserved`.
    pub(in crate::session) fn takes(&mut self, size: usize, reserved: usize) -> bool {
        // One more for the comma.
        let takes = self.takes_any || size + reserved < self.left;
        if takes {
            self.takes_any = false;
            self.left = self.left.saturating_sub(size + 1);
        }
        takes
    }
}
