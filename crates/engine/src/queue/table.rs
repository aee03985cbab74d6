//! A map whose values are numbered.

use std::{
    collections::HashMap,
    hash::Hash,
    ops::{Index, IndexMut},
};

/// A map in which each value also has a fixed number, so that frequent accesses need not look up its key.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    pub(super) numbers: HashMap<K, usize>,
    pub(super) values: Vec<V>,
    /// Numbers of removed values, to be used again.
    pub(super) free: Vec<usize>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new(), free: Vec::new() }
    }
}

impl<K: Eq + Hash, V: Default> Table<K, V> {
    pub(super) fn find(&self, key: &K) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.find(key).map(|number| &self.values[number])
    }

    /// Returns the number of the value with this key, which is a new default value if there is none.
    pub(super) fn number(&mut self, key: K) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.values.push(V::default());
                self.values.len() - 1
            })
        })
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(number) = self.numbers.remove(key) {
            self.values[number] = V::default();
            self.free.push(number);
        }
    }
}

impl<K, V> Index<usize> for Table<K, V> {
    type Output = V;

    fn index(&self, number: usize) -> &V {
        &self.values[number]
    }
}

impl<K, V> IndexMut<usize> for Table<K, V> {
    fn index_mut(&mut self, number: usize) -> &mut V {
        &mut self.values[number]
    }
}
