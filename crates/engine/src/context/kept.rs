//! Keeps the values that a handler reports as they are, for a test. Without the feature `test`, `not_kept.rs` stands in for
//! this.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use crate::progress::cell::Detail;

/// What a test does with the values of a handler; `None` outside of a test.
pub(crate) struct Kept<D, I>(Option<Arc<Keeper<D, I>>>);

/// What a test does with the values of a handler.
pub(crate) struct Keeper<D, I> {
    pub(crate) detail: KeepDetail<D>,
    /// Keeps an item, given its number.
    pub(crate) item: Box<dyn Fn(u64, I) + Send + Sync>,
    /// Notes how a clean-up has ended.
    pub(crate) cleanup: NoteCleanup,
}

/// Keeps a detail. Its JSON is shared with nothing else, so it tells which value it stands for.
type KeepDetail<D> = Box<dyn Fn(&Detail, D) + Send + Sync>;

type NoteCleanup = Arc<dyn Fn(CleanupEnd) + Send + Sync>;

/// How a clean-up has ended. One that was dropped has not.
#[derive(Clone, Copy)]
pub(crate) enum CleanupEnd {
    Returned,
    Panicked,
}

impl<D, I> Kept<D, I> {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn by(keeper: Arc<Keeper<D, I>>) -> Self {
        Self(Some(keeper))
    }

    pub(super) fn details(&self) -> KeptDetails<'_, D> {
        KeptDetails(self.0.as_deref().map(|keeper| &keeper.detail))
    }

    /// Returns a place for an item while it is emitted.
    pub(super) fn slot(&self) -> Slot<'_, D, I> {
        Slot { keeper: self.0.as_deref(), item: Mutex::new(None) }
    }

    /// Keeps an item that was emitted.
    pub(super) fn item(&self, number: u64, item: I) {
        if let Some(keeper) = &self.0 {
            (keeper.item)(number, item);
        }
    }

    pub(super) fn cleanups(&self) -> KeptCleanups {
        KeptCleanups(self.0.as_ref().map(|keeper| Arc::clone(&keeper.cleanup)))
    }
}

impl<D, I> Clone for Kept<D, I> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Keeps the details of a handler.
pub(super) struct KeptDetails<'a, D>(Option<&'a KeepDetail<D>>);

impl<D> KeptDetails<'_, D> {
    /// Keeps a detail. Returns its JSON.
    pub(super) fn keep(self, json: Detail, detail: D) -> Detail {
        let Some(keep) = self.0 else { return json };
        let json = json.unshared();
        keep(&json, detail);
        json
    }
}

impl<D> Clone for KeptDetails<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for KeptDetails<'_, D> {}

/// Notes which clean-ups have ended.
pub(super) struct KeptCleanups(Option<NoteCleanup>);

impl KeptCleanups {
    /// Returns `cleanup`, which then notes its end.
    pub(super) async fn note(mut self, cleanup: impl Future<Output = ()>) {
        cleanup.await;
        if let Some(note) = self.0.take() {
            note(CleanupEnd::Returned);
        }
    }
}

impl Drop for KeptCleanups {
    fn drop(&mut self) {
        if let Some(note) = self.0.take().filter(|_| std::thread::panicking()) {
            note(CleanupEnd::Panicked);
        }
    }
}

/// Where an item is put when it has been written as JSON, until it is known whether it is emitted.
pub(super) struct Slot<'a, D, I> {
    keeper: Option<&'a Keeper<D, I>>,
    item: Mutex<Option<I>>,
}

impl<D, I> Slot<'_, D, I> {
    /// Returns the item, which goes into this slot when it is dropped.
    pub(super) fn lend(&self, item: I) -> Lent<'_, I> {
        Lent { item: Some(item), slot: self.keeper.map(|_| &self.item) }
    }

    /// Keeps the item if it was emitted, as this number.
    pub(super) fn settle(self, emitted: Option<u64>) {
        if let Some(((keeper, number), item)) = self.keeper.zip(emitted).zip(self.item.into_inner()) {
            (keeper.item)(number, item);
        }
    }
}

/// An item that goes back into its slot.
pub(super) struct Lent<'a, I> {
    item: Option<I>,
    slot: Option<&'a Mutex<Option<I>>>,
}

impl<I: Serialize> Serialize for Lent<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.item {
            Some(item) => item.serialize(serializer),
            None => unreachable!("it is taken when this is dropped"),
        }
    }
}

impl<I> Drop for Lent<'_, I> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            *slot.lock() = self.item.take();
        }
    }
}
