//! An item as JSON, in a buffer that the next item on this thread reuses.

use std::cell::Cell;

use serde::Serialize;

use crate::{error::Error, items::segment::CHUNK_BYTES};

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) struct Scratch(Vec<u8>);

impl Scratch {
    /// Writes an item as JSON. Don't call it under a lock: the item's `Serialize` is the app's code.
    pub(super) fn write(item: &impl Serialize) -> Result<Self, Error> {
        let mut scratch = Self(SCRATCH.take());
        scratch.0.clear();
        match serde_json::to_writer(&mut scratch.0, item) {
            Ok(()) => Ok(scratch),
            Err(problem) => Err(Error::unserializable("the item", &problem)),
        }
    }

    pub(super) fn json(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.capacity() <= CHUNK_BYTES {
            SCRATCH.set(std::mem::take(&mut self.0));
        }
    }
}
