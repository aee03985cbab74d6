//! The live tasks of a kind that have the same key. Only one of them runs at a time.
//!
//! Invariants:
//! - the tasks with a key are in the order in which they came, and only the first may run;
//! - a key without live tasks takes no memory, nor does a kind without keys.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use crate::TaskId;

/// The tasks with one key, by the numbers of their arrival.
type Queue = BTreeMap<u64, TaskId>;

#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// By kind, then by key, so that both can be looked up without a copy.
    kinds: HashMap<Arc<str>, HashMap<Arc<str>, Queue>>,
}

impl Keys {
    /// Returns the live tasks with this key that have arrived after number `after`, oldest first.
    pub(crate) fn live<'a>(&'a self, kind: &str, key: &str, after: u64) -> impl Iterator<Item = TaskId> + use<'a> {
        let queue = self.kinds.get(kind).and_then(|keys| keys.get(key));
        let later = (Bound::Excluded(after), Bound::Unbounded);
        queue.into_iter().flat_map(move |queue| queue.range(later)).map(|(_, id)| *id)
    }

    /// Adds a task as the last one with its key. `number` is that of its arrival.
    pub(crate) fn add(&mut self, kind: Arc<str>, key: Arc<str>, number: u64, id: TaskId) {
        let queue = self.kinds.entry(kind).or_default().entry(key).or_default();
        debug_assert!(queue.last_key_value().is_none_or(|(last, _)| *last < number), "{id:?} is not the last one");
        queue.insert(number, id);
    }

    /// Removes the task with this number, which has ended. If it was the first with its key, returns the next one, if
    /// any, which may run now.
    pub(crate) fn end(&mut self, kind: &str, key: &str, number: u64) -> Option<TaskId> {
        let keys = self.kinds.get_mut(kind)?;
        let queue = keys.get_mut(key)?;
        let was_first = queue.first_key_value().is_some_and(|(first, _)| *first == number);
        queue.remove(&number)?;
        let next = queue.values().next().copied().filter(|_| was_first);
        if queue.is_empty() {
            keys.remove(key);
            if keys.is_empty() {
                self.kinds.remove(kind);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index as Which};

    use super::*;

    proptest! {
        #[test]
        fn only_the_oldest_live_task_with_a_key_may_run(
            steps in prop::collection::vec((any::<bool>(), 0_usize..2, 0_usize..2, any::<Which>()), 0..40),
        ) {
            let names = ["a", "b"];
            let mut keys = Keys::default();
            // Every live task, oldest first, and those that may run.
            let mut model: Vec<(usize, usize, u64, TaskId)> = vec![];
            let mut may_run = vec![];
            for (number, (adds, kind, key, index)) in (1_u64..).zip(steps) {
                if adds {
                    let id = TaskId::new();
                    keys.add(names[kind].into(), names[key].into(), number, id);
                    if keys.live(names[kind], names[key], 0).next() == Some(id) {
                        may_run.push(id);
                    }
                    model.push((kind, key, number, id));
                } else if !model.is_empty() {
                    let (kind, key, number, id) = model.remove(index.index(model.len()));
                    may_run.extend(keys.end(names[kind], names[key], number));
                    prop_assert_eq!(keys.end(names[kind], names[key], number), None, "it had ended before");
                    may_run.retain(|other| *other != id);
                }
                let mut first = vec![];
                for (kind, key) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let same = || model.iter().filter(|task| (task.0, task.1) == (kind, key));
                    let live: Vec<_> = same().map(|task| task.3).collect();
                    prop_assert!(keys.live(names[kind], names[key], 0).eq(live.iter().copied()));
                    let half = number / 2;
                    let later = same().filter(|task| task.2 > half).map(|task| task.3);
                    prop_assert!(keys.live(names[kind], names[key], half).eq(later));
                    first.extend(live.first().copied());
                }
                first.sort();
                may_run.sort();
                prop_assert_eq!(&may_run, &first);
            }
            for (kind, key, number, _) in model {
                keys.end(names[kind], names[key], number);
            }
            prop_assert!(keys.kinds.is_empty(), "an empty key was kept");
        }
    }

    #[test]
    fn a_key_without_live_tasks_is_forgotten_while_others_stay() {
        let mut keys = Keys::default();
        let (one, other) = (TaskId::new(), TaskId::new());
        keys.add("kind".into(), "one".into(), 1, one);
        keys.add("kind".into(), "other".into(), 2, other);
        assert_eq!(keys.end("kind", "one", 1), None);
        assert_eq!(keys.kinds["kind"].len(), 1);
        assert_eq!(keys.end("kind", "one", 2), None, "it has another key");
        assert_eq!(keys.live("kind", "other", 0).collect::<Vec<_>>(), [other]);
    }
}
