//! The live tasks of a kind that have the same key. Only one of them runs at a time.
//!
//! Invariants:
//! - the tasks with a key are in the order in which they came, and only the first may run;
//! - a key without live tasks takes no memory, nor does a kind without keys.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::TaskId;

#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// By kind, then by key, so that both can be looked up without a copy.
    kinds: HashMap<Arc<str>, HashMap<Arc<str>, VecDeque<TaskId>>>,
}

impl Keys {
    /// Returns the live tasks with this key, oldest first.
    pub(crate) fn live<'a>(&'a self, kind: &str, key: &str) -> impl Iterator<Item = TaskId> + use<'a> {
        self.kinds.get(kind).and_then(|keys| keys.get(key)).into_iter().flatten().copied()
    }

    /// Adds a task as the last one with its key.
    pub(crate) fn add(&mut self, kind: Arc<str>, key: Arc<str>, id: TaskId) {
        let queue = self.kinds.entry(kind).or_default().entry(key).or_default();
        debug_assert!(!queue.contains(&id), "{id:?} is here already");
        queue.push_back(id);
    }

    /// Removes a task that has ended. If it was the first with its key, returns the next one, if any, which may run
    /// now.
    pub(crate) fn end(&mut self, kind: &str, key: &str, id: TaskId) -> Option<TaskId> {
        let keys = self.kinds.get_mut(kind)?;
        let queue = keys.get_mut(key)?;
        let index = queue.iter().position(|live| *live == id)?;
        queue.remove(index);
        let next = queue.front().copied().filter(|_| index == 0);
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
            let mut model: Vec<(usize, usize, TaskId)> = vec![];
            let mut may_run = vec![];
            for (adds, kind, key, index) in steps {
                if adds {
                    let id = TaskId::new();
                    keys.add(names[kind].into(), names[key].into(), id);
                    if keys.live(names[kind], names[key]).next() == Some(id) {
                        may_run.push(id);
                    }
                    model.push((kind, key, id));
                } else if !model.is_empty() {
                    let (kind, key, id) = model.remove(index.index(model.len()));
                    may_run.extend(keys.end(names[kind], names[key], id));
                    prop_assert_eq!(keys.end(names[kind], names[key], id), None, "it had ended before");
                    may_run.retain(|other| *other != id);
                }
                let mut first = vec![];
                for (kind, key) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let same = model.iter().filter(|task| (task.0, task.1) == (kind, key));
                    let live: Vec<_> = same.map(|task| task.2).collect();
                    prop_assert!(keys.live(names[kind], names[key]).eq(live.iter().copied()));
                    first.extend(live.first().copied());
                }
                first.sort();
                may_run.sort();
                prop_assert_eq!(&may_run, &first);
            }
            for (kind, key, id) in model {
                keys.end(names[kind], names[key], id);
            }
            prop_assert!(keys.kinds.is_empty(), "an empty key was kept");
        }
    }

    #[test]
    fn a_key_without_live_tasks_is_forgotten_while_others_stay() {
        let mut keys = Keys::default();
        let (one, other) = (TaskId::new(), TaskId::new());
        keys.add("kind".into(), "one".into(), one);
        keys.add("kind".into(), "other".into(), other);
        assert_eq!(keys.end("kind", "one", one), None);
        assert_eq!(keys.kinds["kind"].len(), 1);
        assert_eq!(keys.end("kind", "one", other), None, "it has another key");
        assert_eq!(keys.live("kind", "other").collect::<Vec<_>>(), [other]);
    }
}
