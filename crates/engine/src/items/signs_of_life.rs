//! The signs of life that a handler gives by emitting, as plain data.
//!
//! An emitted item is one, and so is an emit that waits: the handler can't go on before the reader does. An emit counts
//! as waiting from when it finds no room until it is dropped or all waiting emits are woken. One that was woken counts
//! again only after it has looked again, and found no room again. So an emit that nobody polls any more keeps nobody
//! alive for longer than the buffer stays full.

/// The signs of life that a handler gives by emitting.
#[derive(Debug, Default)]
pub(super) struct SignsOfLife {
    /// Since the last look, an item was emitted or a wait has ended.
    given: bool,
    /// At the last look, an emit waited.
    waited: bool,
    /// How many emits have found no room since they were woken last.
    waiting: usize,
    /// How often all waiting emits were woken.
    wakes: u64,
}

/// The wait of one emit: how often the waiting emits had been woken when it last found no room.
#[derive(Debug, Default)]
pub(super) struct Wait(Option<u64>);

impl SignsOfLife {
    /// Notes that an item was emitted.
    pub(super) fn emits(&mut self) {
        self.given = true;
    }

    /// Notes that an emit has found no room.
    pub(super) fn waits(&mut self, wait: &mut Wait) {
        if wait.0 != Some(self.wakes) {
            wait.0 = Some(self.wakes);
            self.waiting += 1;
        }
    }

    /// Notes that an emit is over, for whatever reason.
    pub(super) fn ends(&mut self, wait: &Wait) {
        if wait.0 == Some(self.wakes) {
            self.waiting -= 1;
            self.given = true;
        }
    }

    /// Notes that all waiting emits are woken.
    pub(super) fn wake(&mut self) {
        self.given |= self.waiting > 0;
        self.waiting = 0;
        self.wakes += 1;
    }

    /// Returns whether an emit has found no room, and was not woken since.
    #[cfg(test)]
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Returns whether there was a sign of life since the last look. `has_to_wait` says whether an emit without room still
    /// has to wait.
    pub(super) fn look(&mut self, has_to_wait: bool) -> bool {
        let waits = self.waiting > 0 && has_to_wait;
        // A wait that needed no waking to end, because its time was up, has ended after the last look.
        std::mem::take(&mut self.given) | std::mem::replace(&mut self.waited, waits) | waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_sign_of_life_once() {
        let mut signs = SignsOfLife::default();
        assert!(!signs.look(true));
        signs.emits();
        assert!(signs.look(true) && !signs.look(true));
    }

    #[test]
    fn a_wait_is_one_until_it_ends_and_its_end_is_the_last_one() {
        let mut signs = SignsOfLife::default();
        let mut wait = Wait::default();
        signs.waits(&mut wait);
        signs.waits(&mut wait);
        assert!(signs.look(true) && signs.look(true));
        signs.ends(&wait);
        assert!(signs.look(true) && !signs.look(true));
    }

    #[test]
    fn of_several_waits_the_last_one_counts() {
        let mut signs = SignsOfLife::default();
        let (mut first, mut second) = (Wait::default(), Wait::default());
        signs.waits(&mut first);
        signs.waits(&mut second);
        signs.ends(&first);
        assert!(signs.look(true) && signs.look(true));
        signs.ends(&second);
        assert!(signs.look(true) && !signs.look(true));
    }

    #[test]
    fn an_emit_that_was_woken_and_not_polled_waits_no_more() {
        let mut signs = SignsOfLife::default();
        let (mut polled, mut forgotten) = (Wait::default(), Wait::default());
        signs.waits(&mut polled);
        signs.waits(&mut forgotten);
        signs.wake();
        assert!(signs.look(true) && !signs.look(true), "neither has looked again");
        signs.waits(&mut polled);
        assert!(signs.look(true));
        signs.ends(&forgotten);
        assert!(signs.look(true) && signs.look(true), "the other one waits again");
        signs.ends(&polled);
        assert!(signs.look(true) && !signs.look(true));
    }

    #[test]
    fn an_emit_whose_patience_is_over_waits_no_more() {
        let mut signs = SignsOfLife::default();
        signs.waits(&mut Wait::default());
        assert!(signs.look(true));
        assert!(signs.look(false), "it waited up to some time after the last look");
        assert!(!signs.look(false));
    }
}
