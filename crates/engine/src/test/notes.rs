//! What a test notes of the handler that it runs.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use super::{gate::Gate, report::TestProgress};
use crate::{
    Bytes, Json, Progress, TaskContext,
    context::kept::{CleanupEnd, Keeper, Kept},
    items::stream::RecordedBytes,
    progress::recording::{Recording, Report, Reported},
};

/// What a test notes of the handler that it runs.
pub(super) struct Notes<O, E, D, I> {
    /// What the last attempt has returned.
    pub(super) output: Place<O>,
    /// What all attempts have returned.
    pub(super) errors: Arc<Mutex<Vec<E>>>,
    pub(super) bytes: RecordedBytes,
    pub(super) cleanups: Arc<AtomicU32>,
    pub(super) panicked_cleanups: Arc<AtomicU32>,
    pub(super) reports: Arc<Recording>,
    pub(super) gate: Gate,
    details: Arc<Mutex<Details<D>>>,
    items: Arc<Mutex<BTreeMap<u64, I>>>,
    keeper: Arc<Keeper<D, I>>,
}

/// The details by the address of their JSON, which is kept so that no other has the same.
type Details<D> = HashMap<usize, (Json, D)>;

/// Where a value is put that the handler has returned.
pub(super) type Place<T> = Arc<Mutex<Option<T>>>;

/// Puts a value that the handler has returned into its place.
type Put<T> = Box<dyn FnOnce(T) + Send>;

impl<O, E, D: Send + 'static, I: Send + 'static> Notes<O, E, D, I> {
    pub(super) fn new() -> Self {
        let details: Arc<Mutex<Details<D>>> = Arc::default();
        let items: Arc<Mutex<BTreeMap<u64, I>>> = Arc::default();
        let (cleanups, panicked_cleanups) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let keeper = Keeper {
            detail: {
                let details = Arc::clone(&details);
                Box::new(move |json, detail| {
                    details.lock().insert(json.json().address(), (json.json().clone(), detail));
                })
            },
            item: {
                let items = Arc::clone(&items);
                Box::new(move |number, item| {
                    items.lock().insert(number, item);
                })
            },
            cleanup: {
                let (returned, panicked) = (Arc::clone(&cleanups), Arc::clone(&panicked_cleanups));
                Arc::new(move |end| {
                    match end {
                        CleanupEnd::Returned => returned.fetch_add(1, SeqCst),
                        CleanupEnd::Panicked => panicked.fetch_add(1, SeqCst),
                    };
                })
            },
        };
        let reports: Arc<Recording> = Arc::default();
        Self {
            output: Place::default(),
            errors: Arc::default(),
            bytes: RecordedBytes::default(),
            cleanups,
            panicked_cleanups,
            gate: Gate::new(&reports),
            reports,
            details,
            items,
            keeper: Arc::new(keeper),
        }
    }

    /// Returns the context, which notes what the handler reports.
    pub(super) fn listen(&self, context: TaskContext<D, I>) -> TaskContext<D, I> {
        if TypeId::of::<I>() == TypeId::of::<Bytes>() {
            context.record_bytes(&self.bytes);
        }
        context.for_test(Kept::by(Arc::clone(&self.keeper)), &self.reports)
    }
}

impl<O, E, D, I> Notes<O, E, D, I> {
    pub(super) fn has_item(&self, number: u64) -> bool {
        self.items.lock().contains_key(&number)
    }

    pub(super) fn take_items(&self) -> Vec<I> {
        mem::take(&mut *self.items.lock()).into_values().collect()
    }

    pub(super) fn messages(&self) -> Vec<String> {
        let reports = self.reports.reports().into_iter().filter(|report| report.what == Reported::Message);
        reports.filter_map(|report| Some(report.progress.message?.to_string())).collect()
    }
}

impl<O, E, D, I: Clone> Notes<O, E, D, I> {
    pub(super) fn item(&self, number: u64) -> Option<I> {
        self.items.lock().get(&number).cloned()
    }
}

impl<O, E, D: Clone, I> Notes<O, E, D, I> {
    /// Returns every report of progress.
    pub(super) fn progress(&self) -> Vec<TestProgress<D>> {
        self.reports.reports().iter().map(|report| self.typed(&report.progress)).collect()
    }

    /// Returns every detail.
    pub(super) fn details(&self) -> Vec<D> {
        let reports = self.reports.reports();
        let details = reports.iter().filter(|Report { what, .. }| *what == Reported::Detail);
        details.filter_map(|report| self.detail(&report.progress)).collect()
    }

    /// Returns this progress with the detail that the handler has reported.
    pub(super) fn typed(&self, progress: &Progress) -> TestProgress<D> {
        TestProgress {
            completed: progress.completed,
            total: progress.total,
            unit: progress.unit,
            message: progress.message.as_deref().map(str::to_owned),
            detail: self.detail(progress),
        }
    }

    fn detail(&self, progress: &Progress) -> Option<D> {
        let json = progress.detail.as_ref()?;
        self.details.lock().get(&json.address()).map(|(_, detail)| detail.clone())
    }
}

/// A value that the handler has returned. Once it has been written as JSON, it is put into its place.
pub(super) struct Returned<T> {
    value: Option<T>,
    put: Option<Put<T>>,
}

impl<T> Returned<T> {
    pub(super) fn new(value: T, put: impl FnOnce(T) + Send + 'static) -> Self {
        Self { value: Some(value), put: Some(Box::new(put)) }
    }

    pub(super) fn value(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("it is taken when this is dropped"),
        }
    }
}

impl<T: Serialize> Serialize for Returned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<T> Drop for Returned<T> {
    fn drop(&mut self) {
        if let Some((put, value)) = self.put.take().zip(self.value.take()) {
            put(value);
        }
    }
}
