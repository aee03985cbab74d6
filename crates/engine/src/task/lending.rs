//! When a handler lends its slots: while it awaits tasks that it has started.
//!
//! Invariants:
//! - the slots are lent between two polls of the handler, if it awaits a wait and none is over;
//! - a wait that is over returns only when the handler has its slots. If the handler awaits something else instead, it
//!   isn't polled until it has them;
//! - a handler that was told to stop goes on without its slots, because it may have only its grace period left.
//!
//! A wait that exists is not always awaited: the handler may have put it aside, as in the branch of a `select!` in a
//! loop. So when a handler with waits has returned `Pending`, it is polled once more to have a [look](Lending::look): a
//! wait that is polled then is awaited. What polls only those of its futures that were woken, as `FuturesUnordered` does,
//! is shown the waits as woken: some at each look, until one is polled or all have been shown. It knows of a wait that was
//! shown until it polls that, so no wait is shown twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
};

use super::id::TaskId;

/// The most tasks that a snapshot shows as awaited.
const SHOWN: usize = 100;
/// The most waits that a look shows from each end: the oldest and the newest.
const SHOWN_AT_EACH_END: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Slots {
    #[default]
    Held,
    Lent,
    /// Wanted back.
    Wanted,
}

/// What has to be done for a handler that has returned `Pending`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It has gone on during the look, or the look has not shown all waits and none was polled. So it needs another one.
    LookAgain,
    /// It lends its slots, and awaits these tasks.
    Lend(Vec<TaskId>),
    /// It has lent its slots, and awaits these tasks now.
    Await(Vec<TaskId>),
    /// It wants its slots back, because it goes on or because what it awaited of these tasks has come.
    TakeBack(Vec<TaskId>),
}

/// The waits of one attempt, and where its slots are.
#[derive(Debug, Default)]
pub(crate) struct Lending {
    slots: Slots,
    /// The waits of the handler's own future, oldest first.
    waits: BTreeMap<u64, Wait>,
    next: u64,
    /// The waits that no look has shown since they were polled last.
    hidden: BTreeSet<u64>,
    /// How many of the waits are over.
    over: usize,
    /// The number of the newest look, and how many waits were polled in it.
    look: u64,
    seen: usize,
    /// Whether waits have come or gone since the newest look began. A wait that was polled may be put aside then.
    stirred: bool,
    /// Polls the handler, while its slots are not held.
    handler: Option<Waker>,
    /// Whether waits have come or gone since the last [`settle`](Self::settle).
    changed: bool,
}

#[derive(Debug)]
struct Wait {
    of: TaskId,
    /// Polls it.
    waker: Option<Waker>,
    /// The look in which it was polled last.
    seen: u64,
    /// What it waits for has come, and it waits for the slots.
    over: bool,
}

impl Lending {
    /// Begins a wait for something of the task `of`, and returns its number.
    pub(crate) fn begin(&mut self, of: TaskId) -> u64 {
        self.next += 1;
        self.waits.insert(self.next, Wait { of, waker: None, seen: 0, over: false });
        (self.changed, self.stirred) = (true, true);
        self.next
    }

    /// Notes that a wait was polled with this waker, and goes on. Returns a waker to drop.
    pub(crate) fn polled(&mut self, wait: u64, waker: Waker) -> Option<Waker> {
        let Some(state) = self.waits.get_mut(&wait) else { return Some(waker) };
        if state.seen != self.look {
            state.seen = self.look;
            self.seen += 1;
        }
        self.hidden.insert(wait);
        state.waker.replace(waker)
    }

    /// Forgets a wait. Returns a waker to drop.
    pub(crate) fn end(&mut self, wait: u64) -> Option<Waker> {
        let Wait { over, seen, waker, .. } = self.waits.remove(&wait)?;
        self.hidden.remove(&wait);
        self.over -= usize::from(over);
        self.seen -= usize::from(seen == self.look && seen > 0);
        (self.changed, self.stirred) = (true, true);
        waker
    }

    /// Begins a look at what the handler awaits. Returns whom to wake before the handler is polled. Returns `None` if no
    /// look is needed: it has no waits, or it was polled although `nothing_happened` and has the same waits as before.
    pub(crate) fn look(&mut self, nothing_happened: bool) -> Option<Vec<Waker>> {
        if self.waits.is_empty() || (nothing_happened && !self.changed) {
            return None;
        }
        self.look += 1;
        self.seen = 0;
        self.stirred = false;
        Some((0..2 * SHOWN_AT_EACH_END).map_while(|place| self.show(place % 2 == 0)).collect())
    }

    /// Takes the oldest or the newest of the hidden waits. Returns whom to wake to show it.
    fn show(&mut self, oldest: bool) -> Option<Waker> {
        let wait = if oldest { self.hidden.pop_first() } else { self.hidden.pop_last() }?;
        self.waits.get(&wait)?.waker.clone()
    }

    /// Notes that what a wait waits for has come. Returns whether it may return.
    pub(crate) fn may_return(&mut self, wait: u64, is_stopped: bool) -> bool {
        let may = self.slots == Slots::Held || is_stopped;
        if let Some(wait) = self.waits.get_mut(&wait).filter(|wait| !may && !wait.over) {
            wait.over = true;
            self.over += 1;
        }
        may
    }

    /// Whether the handler may be polled.
    pub(crate) fn may_poll(&self, is_stopped: bool) -> bool {
        self.slots != Slots::Wanted || is_stopped
    }

    /// Decides about the slots after the handler has returned `Pending`, and to the look as well if there was one.
    /// `was_woken` says whether something has happened since the look began.
    pub(crate) fn settle(&mut self, was_woken: bool) -> Option<Settled> {
        let awaits = self.seen > 0 && self.over == 0;
        let went_on = self.slots == Slots::Held && awaits && (self.stirred || was_woken);
        let is_hidden = self.slots != Slots::Wanted && self.seen == 0 && self.over == 0 && !self.hidden.is_empty();
        if went_on || is_hidden {
            return Some(Settled::LookAgain);
        }
        let changed = std::mem::take(&mut self.changed);
        match (self.slots, awaits) {
            (Slots::Held, true) => {
                self.slots = Slots::Lent;
                Some(Settled::Lend(self.awaited()))
            }
            (Slots::Lent, true) => changed.then(|| Settled::Await(self.awaited())),
            (Slots::Lent, false) => {
                self.slots = Slots::Wanted;
                Some(Settled::TakeBack(self.came()))
            }
            (Slots::Held, false) | (Slots::Wanted, _) => None,
        }
    }

    /// Notes that the handler has its slots back. It may have them before it wants them, because what it waits for has
    /// come. Returns whom to wake: it may have to lend them again.
    pub(crate) fn slots_are_back(&mut self) -> Option<Waker> {
        self.slots = Slots::Held;
        self.waits.values_mut().for_each(|wait| wait.over = false);
        self.over = 0;
        self.handler.take()
    }

    /// Sets what polls the handler while its slots are not held. Returns a waker to drop.
    pub(crate) fn set_handler(&mut self, handler: Waker) -> Option<Waker> {
        self.handler.replace(handler)
    }

    /// Returns the tasks of the waits that are over.
    fn came(&self) -> Vec<TaskId> {
        self.waits.values().filter(|wait| wait.over).map(|wait| wait.of).collect()
    }

    /// Returns the tasks that there are waits for, each once.
    fn awaited(&self) -> Vec<TaskId> {
        let mut awaited = Vec::new();
        for Wait { of, .. } in self.waits.values() {
            if awaited.len() == SHOWN {
                break;
            }
            if !awaited.contains(of) {
                awaited.push(*of);
            }
        }
        awaited
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        task::Wake,
    };

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        /// The handler is polled, and does this.
        Poll(Vec<Deed>),
        Back,
        Stop,
    }

    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Begin(u8),
        End(u8),
        /// Puts a wait aside, or takes it up again.
        PutAside(u8),
        Comes(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let deed = prop_oneof![
            4 => any::<u8>().prop_map(Deed::Begin),
            2 => any::<u8>().prop_map(Deed::End),
            2 => any::<u8>().prop_map(Deed::PutAside),
            3 => any::<u8>().prop_map(Deed::Comes),
        ];
        let step = prop_oneof![
            8 => prop::collection::vec(deed, 0..3).prop_map(Step::Poll),
            3 => Just(Step::Back),
            1 => Just(Step::Stop),
        ];
        prop::collection::vec(step, 0..40)
    }

    #[derive(Debug, Clone, Copy)]
    struct Known {
        wait: u64,
        of: TaskId,
        aside: bool,
        over: bool,
    }

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    /// Looks until all waits have been shown.
    fn settle(lending: &mut Lending) -> Option<Settled> {
        loop {
            match lending.settle(false) {
                Some(Settled::LookAgain) => lending.look(false),
                settled => return settled,
            };
        }
    }

    /// A group of waits like `FuturesUnordered`, which polls those of its futures that were woken.
    #[derive(Default)]
    struct Group {
        waits: Vec<(u64, Arc<Woken>)>,
    }

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Relaxed);
        }
    }

    impl Group {
        fn begin(&mut self, lending: &mut Lending) {
            self.waits.push((lending.begin(TaskId::new()), Arc::new(Woken(AtomicBool::new(true)))));
        }

        fn poll(&self, lending: &mut Lending) {
            for (wait, woken) in self.waits.iter().filter(|(_, woken)| woken.0.swap(false, Relaxed)) {
                lending.polled(*wait, Arc::clone(woken).into());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a list of waits that says which of them are awaited.
        #[test]
        fn slots_are_lent_while_waits_are_awaited_and_none_is_over(steps in steps()) {
            let tasks = [(); 4].map(|()| TaskId::new());
            let (mut lending, mut stopped) = (Lending::default(), false);
            let mut waits: Vec<Known> = vec![];
            let (mut lent, mut wanted) = (false, false);
            let mut shown = vec![];
            for step in steps {
                let deeds = match step {
                    Step::Back => {
                        lending.slots_are_back();
                        for wait in &mut waits {
                            wait.over = false;
                        }
                        (lent, wanted) = (false, false);
                        continue;
                    }
                    Step::Stop => {
                        stopped = true;
                        continue;
                    }
                    Step::Poll(deeds) => deeds,
                };
                prop_assert_eq!(lending.may_poll(stopped), !wanted || stopped);
                if wanted && !stopped {
                    continue;
                }
                for deed in deeds {
                    match deed {
                        Deed::Begin(of) => {
                            let of = tasks[usize::from(of) % tasks.len()];
                            waits.push(Known { wait: lending.begin(of), of, aside: false, over: false });
                        }
                        _ if waits.is_empty() => {}
                        Deed::End(at) => {
                            let at = usize::from(at) % waits.len();
                            lending.end(waits.remove(at).wait);
                        }
                        Deed::PutAside(at) => {
                            let at = usize::from(at) % waits.len();
                            waits[at].aside ^= true;
                        }
                        Deed::Comes(at) => {
                            let at = usize::from(at) % waits.len();
                            let returns = lending.may_return(waits[at].wait, stopped);
                            prop_assert_eq!(returns, stopped || !(lent || wanted));
                            if returns {
                                lending.end(waits.remove(at).wait);
                            } else {
                                waits[at].over = true;
                            }
                        }
                    }
                }
                // A wait that is put aside may have been polled before that, but is not in the look.
                for wait in &waits {
                    lending.polled(wait.wait, waker());
                }
                prop_assert_eq!(lending.look(false).is_some(), !waits.is_empty());
                let awaited = || waits.iter().filter(|wait| !wait.aside && !wait.over);
                awaited().for_each(|wait| drop(lending.polled(wait.wait, waker())));
                let awaits = awaited().next().is_some() && waits.iter().all(|wait| !wait.over);
                let mut all = vec![];
                for Known { of, .. } in &waits {
                    if !all.contains(of) {
                        all.push(*of);
                    }
                }
                match settle(&mut lending) {
                    Some(Settled::Lend(ids)) => {
                        prop_assert!(awaits && !lent && !wanted);
                        (lent, shown) = (true, ids);
                    }
                    Some(Settled::Await(ids)) => {
                        prop_assert!(awaits && lent);
                        shown = ids;
                    }
                    Some(Settled::LookAgain) => prop_assert!(false, "nothing has come or gone"),
                    Some(Settled::TakeBack(came)) => {
                        prop_assert!(!awaits && lent);
                        prop_assert_eq!(came, waits.iter().filter(|wait| wait.over).map(|wait| wait.of).collect::<Vec<_>>());
                        (lent, wanted) = (false, true);
                    }
                    None => prop_assert!(wanted || lent == awaits),
                }
                prop_assert!(!lent || shown == all);
            }
        }

        /// The handler has begun waits of one group after another, and awaits one group after another.
        #[test]
        fn a_handler_lends_its_slots_for_any_part_of_its_waits(
            begun in prop::collection::vec((0_usize..4, 0_usize..90), 0..8),
            awaited in prop::collection::vec(prop::option::of(0_usize..4), 1..6),
        ) {
            let mut lending = Lending::default();
            let mut all: [Group; 4] = Default::default();
            for (group, count) in &begun {
                (0..*count).for_each(|_| all[*group].begin(&mut lending));
            }
            let count: usize = begun.iter().map(|(_, count)| count).sum();
            for group in &all {
                group.poll(&mut lending);
            }
            let (mut lent, mut looks) = (false, 0);
            for group in awaited.into_iter().map(|place| place.map(|place| &all[place])) {
                let poll = |lending: &mut Lending| group.iter().for_each(|group| group.poll(lending));
                poll(&mut lending);
                let settled = loop {
                    let woken = lending.look(false);
                    looks += usize::from(woken.is_some());
                    woken.into_iter().flatten().for_each(Waker::wake);
                    poll(&mut lending);
                    match lending.settle(false) {
                        Some(Settled::LookAgain) => {}
                        settled => break settled,
                    }
                };
                let awaits = group.is_some_and(|group| !group.waits.is_empty());
                match settled {
                    Some(Settled::Lend(_)) => prop_assert!(awaits && !lent),
                    Some(Settled::TakeBack(_)) => {
                        prop_assert!(!awaits && lent);
                        lending.slots_are_back();
                    }
                    Some(_) => prop_assert!(false, "no wait has come or gone"),
                    None => prop_assert_eq!(awaits, lent),
                }
                lent = awaits;
            }
            prop_assert!(looks <= 6 * (2 + count / (2 * SHOWN_AT_EACH_END)), "{looks}");
        }
    }

    #[test]
    fn a_snapshot_shows_the_first_hundred_awaited_tasks() {
        let mut lending = Lending::default();
        let tasks: Vec<_> = (0..150).map(|_| TaskId::new()).collect();
        let waits: Vec<_> = tasks.iter().flat_map(|task| [lending.begin(*task), lending.begin(*task)]).collect();
        lending.look(false);
        lending.polled(waits[0], waker());
        assert_eq!(lending.settle(false), Some(Settled::Lend(tasks[..SHOWN].to_vec())));
    }

    #[test]
    fn a_look_shows_only_some_of_many_waits_and_none_again() {
        let mut lending = Lending::default();
        assert!(lending.look(false).is_none());
        for count in 1..100 {
            for _ in 0..count {
                let wait = lending.begin(TaskId::new());
                lending.polled(wait, waker());
            }
            let mut left = count;
            while left > 0 {
                let shown = lending.look(false).unwrap().len();
                assert_eq!(shown, left.min(2 * SHOWN_AT_EACH_END));
                left -= shown;
            }
            assert!(lending.look(false).unwrap().is_empty());
        }
    }

    /// On another thread, what a wait waits for may come during the look, and the handler goes on with another wait put
    /// aside that was polled before.
    #[test]
    fn a_look_in_which_the_handler_goes_on_is_repeated() {
        let mut lending = Lending::default();
        let waits = [(); 2].map(|()| lending.begin(TaskId::new()));
        lending.look(false);
        lending.polled(waits[0], waker());
        assert_eq!(lending.settle(true), Some(Settled::LookAgain), "something has happened");
        lending.look(true);
        lending.polled(waits[0], waker());
        assert!(lending.may_return(waits[1], false));
        lending.end(waits[1]);
        assert_eq!(lending.settle(false), Some(Settled::LookAgain), "a wait has returned");
        lending.look(true);
        assert_eq!(lending.settle(false), None, "it awaits something else now");
        lending.look(false);
        lending.polled(waits[0], waker());
        assert!(matches!(lending.settle(false), Some(Settled::Lend(_))));
    }
}
