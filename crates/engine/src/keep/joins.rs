//! The calls that have joined a task and still have a share in it, by their ids. A call that has started a task needs no
//! entry: the task has its id.

use std::{collections::HashMap, sync::Arc};

use crate::{
    error::refusal::Refusal,
    task::{
        id::{IdMap, TaskId},
        owner::Owner,
    },
};

/// The most shares that one holder may have by joining, in all tasks together.
const JOINS_LIMIT: usize = 65_536;

/// A call that has joined a task.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) of: TaskId,
    /// The name of the task's kind.
    pub(super) name: Arc<str>,
    pub(super) holder: Owner,
}

#[derive(Default)]
pub(super) struct Joins {
    calls: IdMap<Join>,
    /// How many of them each holder has.
    held: HashMap<Owner, usize>,
}

impl Joins {
    pub(super) fn get(&self, call: TaskId) -> Option<&Join> {
        self.calls.get(&call)
    }

    /// Fails if this holder has too many.
    pub(super) fn check(&self, holder: &Owner) -> Result<(), Refusal> {
        if self.held.get(holder).is_none_or(|held| *held < JOINS_LIMIT) {
            return Ok(());
        }
        let remedy = "give back the shares of calls that no longer need their tasks";
        Err(Refusal::exceeds_fixed(
            "shares",
            JOINS_LIMIT as u64,
            "shares of one caller in tasks that it has joined",
            remedy,
        ))
    }

    pub(super) fn add(&mut self, call: TaskId, join: Join) {
        let holder = join.holder.clone();
        // A repeated call counts once.
        if self.calls.insert(call, join).is_none() {
            *self.held.entry(holder).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, call: TaskId) -> Option<Join> {
        let join = self.calls.remove(&call)?;
        if let Some(held) = self.held.get_mut(&join.holder) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&join.holder);
            }
        }
        Some(join)
    }

    /// Returns how many calls and how many holders there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.calls.len(), self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(label: &str) -> Owner {
        Owner::Other { label: label.into(), token: 0 }
    }

    fn add(joins: &mut Joins, label: &str) -> TaskId {
        let call = TaskId::new();
        joins.add(call, Join { of: TaskId::new(), name: "t".into(), holder: holder(label) });
        call
    }

    #[test]
    fn the_calls_of_each_holder_are_bounded_on_their_own() {
        let mut joins = Joins::default();
        let first = add(&mut joins, "main");
        (1..JOINS_LIMIT).for_each(|_| {
            joins.check(&holder("main")).unwrap();
            add(&mut joins, "main");
        });
        assert!(joins.check(&holder("main")).unwrap_err().to_string().contains("65536"));
        joins.check(&holder("other")).unwrap();
        joins.remove(first);
        joins.check(&holder("main")).unwrap();
    }

    #[test]
    fn nothing_is_left_of_calls_that_were_removed_even_twice() {
        let mut joins = Joins::default();
        let calls = [add(&mut joins, "main"), add(&mut joins, "main"), add(&mut joins, "other")];
        assert_eq!(joins.len(), (3, 2));
        for call in calls {
            joins.remove(call);
            joins.remove(call);
        }
        assert_eq!(joins.len(), (0, 0));
    }
}
