use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

/// The largest position that is counted. It also stands for every position behind it.
pub(crate) const PLACES: usize = 1_000;

/// The places of the first tasks in a queue. They are looked up, since counting would take as long as the queue is.
#[derive(Debug)]
pub(super) struct Places<K>(VecDeque<K>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord + Copy> Places<K> {
    /// Adds what was added to the queue.
    pub(super) fn add(&mut self, rank: K) {
        let Err(place) = self.0.binary_search(&rank) else { return };
        if place < PLACES - 1 {
            self.0.insert(place, rank);
            self.0.truncate(PLACES - 1);
        }
    }

    /// Removes what was removed from `queue`.
    pub(super) fn remove<V>(&mut self, rank: &K, queue: &BTreeMap<K, V>) {
        let Ok(place) = self.0.binary_search(rank) else { return };
        let was_full = self.0.len() == PLACES - 1;
        self.0.remove(place);
        if was_full {
            let last = self.0.back().map_or(Bound::Unbounded, Bound::Excluded);
            let next = queue.range((last, Bound::Unbounded)).next().map(|(next, _)| *next);
            self.0.extend(next);
        }
    }

    /// Returns the place of `rank`, which is in the queue: from 1 to [`PLACES`].
    pub(super) fn of(&self, rank: &K) -> u32 {
        let before = self.0.binary_search(rank).unwrap_or(PLACES - 1);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Queues that are about as long as the places that are counted, whose middle is added to and removed from.
        #[test]
        fn a_place_is_how_many_stand_before_it(
            length in PLACES - 20..PLACES + 20,
            steps in prop::collection::vec((any::<bool>(), 0..2 * PLACES), 1..80),
        ) {
            let mut places = Places::default();
            let mut queue = BTreeMap::new();
            for rank in 0..length {
                queue.insert(2 * rank, "waits");
                places.add(2 * rank);
            }
            for (adds, rank) in steps {
                if adds {
                    if queue.insert(rank, "waits").is_none() {
                        places.add(rank);
                    }
                } else if let Some((&rank, _)) = queue.range(rank..).next() {
                    queue.remove(&rank);
                    places.remove(&rank, &queue);
                }
            }
            for (before, rank) in queue.keys().enumerate() {
                prop_assert_eq!(places.of(rank) as usize, (before + 1).min(PLACES));
            }
            prop_assert!(places.0.len() < PLACES);
        }
    }
}
