//! The ended tasks that are kept, oldest first, with the sum of their sizes.

use std::{collections::BTreeMap, time::Duration};

use crate::task::id::{IdMap, TaskId};

/// A task that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) id: TaskId,
    /// By the clock of [`Timers::awake_now`](crate::clock::timers::Timers::awake_now).
    pub(super) since: Duration,
    pub(super) bytes: usize,
}

/// A queue that any task may leave.
#[derive(Debug, Default)]
pub(super) struct Kept {
    queue: BTreeMap<u64, Ended>,
    /// The number of each task in the queue.
    numbers: IdMap<u64>,
    next: u64,
    bytes: usize,
}

impl Kept {
    /// Adds a task as the newest one, unless it is here already.
    pub(super) fn push(&mut self, ended: Ended) {
        if self.numbers.contains_key(&ended.id) {
            return;
        }
        self.numbers.insert(ended.id, self.next);
        self.queue.insert(self.next, ended);
        self.next += 1;
        self.bytes += ended.bytes;
    }

    pub(super) fn oldest(&self) -> Option<&Ended> {
        self.queue.first_key_value().map(|(_, ended)| ended)
    }

    pub(super) fn pop(&mut self) -> Option<Ended> {
        let id = self.oldest()?.id;
        self.remove(id)
    }

    pub(super) fn remove(&mut self, id: TaskId) -> Option<Ended> {
        let ended = self.queue.remove(&self.numbers.remove(&id)?)?;
        self.bytes -= ended.bytes;
        Some(ended)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns how large all of them are together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        PushAgain(Index),
        Pop,
        Remove(Index),
        RemoveUnknown,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..100_usize).prop_map(Step::Push),
            1 => any::<Index>().prop_map(Step::PushAgain),
            1 => Just(Step::Pop),
            2 => any::<Index>().prop_map(Step::Remove),
            1 => Just(Step::RemoveUnknown),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_queue_that_any_task_may_leave(steps in prop::collection::vec(step(), 0..60)) {
            let mut kept = Kept::default();
            let mut model: Vec<Ended> = vec![];
            for (at, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(bytes) => {
                        let ended = Ended { id: TaskId::new(), since: Duration::from_secs(at as u64), bytes };
                        kept.push(ended);
                        model.push(ended);
                    }
                    Step::PushAgain(which) if !model.is_empty() => kept.push(Ended { bytes: 7, ..*which.get(&model) }),
                    Step::Pop => {
                        let oldest = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(kept.pop(), oldest);
                    }
                    Step::Remove(which) if !model.is_empty() => {
                        let ended = model.remove(which.index(model.len()));
                        prop_assert_eq!(kept.remove(ended.id), Some(ended));
                    }
                    Step::RemoveUnknown => prop_assert_eq!(kept.remove(TaskId::new()), None),
                    Step::PushAgain(_) | Step::Remove(_) => {}
                }
                prop_assert_eq!(kept.oldest(), model.first());
                prop_assert_eq!((kept.len(), kept.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!(kept.bytes(), model.iter().map(|ended| ended.bytes).sum::<usize>());
            }
        }
    }
}
