//! Stands in for `kept.rs` in an app, where no test keeps the values of a handler.

#![allow(clippy::unused_self)] // As in `kept.rs`.

use std::marker::PhantomData;

use crate::progress::cell::Detail;

pub(crate) struct Kept<D, I>(PhantomData<fn(D) -> I>);

impl<D, I> Kept<D, I> {
    pub(crate) fn none() -> Self {
        Self(PhantomData)
    }

    pub(super) fn details(&self) -> KeptDetails<'_, D> {
        KeptDetails(PhantomData)
    }

    pub(super) fn slot(&self) -> Slot {
        Slot
    }

    pub(super) fn item(&self, _number: u64, _item: I) {}

    pub(super) fn cleanups(&self) -> KeptCleanups {
        KeptCleanups
    }
}

impl<D, I> Clone for Kept<D, I> {
    fn clone(&self) -> Self {
        Self::none()
    }
}

pub(super) struct KeptDetails<'a, D>(PhantomData<(&'a (), fn(D))>);

impl<D> KeptDetails<'_, D> {
    pub(super) fn keep(self, json: Detail, _detail: D) -> Detail {
        json
    }
}

impl<D> Clone for KeptDetails<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for KeptDetails<'_, D> {}

pub(super) struct KeptCleanups;

impl KeptCleanups {
    pub(super) fn note<F>(self, cleanup: F) -> F {
        cleanup
    }
}

pub(super) struct Slot;

impl Slot {
    pub(super) fn lend<I>(&self, item: I) -> I {
        item
    }

    pub(super) fn settle(self, _emitted: Option<u64>) {}
}
