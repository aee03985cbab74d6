/// An upper bound for the bytes that a message or a list change takes in addition to its contents, as text.
pub(in crate::session) const ENVELOPE: usize = 128;

/// The room left in a message. It is counted in bytes of the text that travels: as escaped.
pub(in crate::session) struct Room {
    left: usize,
    is_answer: bool,
    /// Whether the next entry fits whatever its size, since it would otherwise block all entries behind it forever.
    takes_any: bool,
}

impl Room {
    /// Returns the room of a push of at most `limit` bytes.
    pub(in crate::session) fn for_push(limit: usize) -> Self {
        Self { left: limit - ENVELOPE, is_answer: false, takes_any: false }
    }

    /// Returns the room of an answer of at most `limit` bytes. The first entry in each [part](Self::next_part) may
    /// exceed the limit.
    pub(in crate::session) fn for_answer(limit: usize) -> Self {
        Self { is_answer: true, takes_any: true, ..Self::for_push(limit) }
    }

    /// Begins the next part of the message.
    pub(in crate::session) fn next_part(&mut self) {
        self.takes_any = self.is_answer;
    }

    /// Returns how many bytes are left.
    pub(in crate::session) fn left(&self) -> usize {
        self.left
    }

    /// Takes `size` bytes if `reserved` bytes stay free, or if the next entry fits whatever its size. Returns whether
    /// it did.
    pub(in crate::session) fn takes(&mut self, size: usize, reserved: usize) -> bool {
        // Plus one for the comma.
        let takes = self.takes_any || size + reserved < self.left;
        if takes {
            self.takes_any = false;
            self.left = self.left.saturating_sub(size + 1);
        }
        takes
    }
}
