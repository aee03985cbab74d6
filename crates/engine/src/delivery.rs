//! Exempt from semver: what a delivery layer needs of the engine.

pub use crate::{
    items::buffer::{Ask, Batch, Bounds, Refusal, WINDOW},
    manager::{Settings, Start, StartBatch, unix_millis},
    record::{Cursor, Entry, EntryLook, Follower, Record},
    task::{
        id::IdMap,
        kind::{Errors, Kind, Policy},
        owner::{Owner, Page},
    },
    watch::change_set::Watcher,
};
