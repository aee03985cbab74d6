//! A kind of task: its name, how its tasks are treated, and how many there are.

pub(crate) mod counts;

use std::{any::TypeId, sync::Arc};

use self::counts::Counters;
use crate::{error::Error, items::item_type::Never, json::Json, policy::Policy};

/// Reads an input and returns an attempt that is ready to run.
type Prepare<W> = Box<dyn Fn(&Json) -> Result<W, Error> + Send + Sync>;

/// A kind of task with its types erased. `W` is an attempt that is ready to run.
pub struct Kind<W> {
    /// The name that its tasks are started by.
    pub name: Arc<str>,
    pub(crate) policy: Policy,
    /// Whether its handlers can emit items.
    emits: bool,
    /// Counts the tasks of this kind by status. All tasks that were spawned without a kind share one.
    pub(crate) counters: Arc<Counters>,
    prepare: Option<Prepare<W>>,
}

impl<W> Kind<W> {
    /// Returns a kind whose tasks are started by name and emit values of the type `I`.
    pub(crate) fn registered<I: 'static>(
        name: Arc<str>,
        policy: Policy,
        prepare: impl Fn(&Json) -> Result<W, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { name, policy, emits: emits::<I>(), counters: Arc::default(), prepare: Some(Box::new(prepare)) }
    }

    /// Returns a kind for work that runs once, emits values of the type `I`, and can't be started by name.
    pub(crate) fn ad_hoc<I: 'static>(name: &str, counters: &Arc<Counters>) -> Self {
        let counters = Arc::clone(counters);
        Self { name: name.into(), policy: Policy::default(), emits: emits::<I>(), counters, prepare: None }
    }

    /// Returns the kind of a batch of tasks of this kind.
    pub(crate) fn batch(&self) -> Self {
        let Policy { grace, secret_input, on_exit, on_owner_closed, batch_progress, .. } = self.policy;
        let policy = Policy { grace, secret_input, on_exit, on_owner_closed, batch_progress, ..Policy::default() };
        Self { name: Arc::clone(&self.name), policy, emits: false, counters: Arc::default(), prepare: None }
    }

    /// Whether its tasks wait for readers, or end without one. A kind that emits nothing can't set what happens to items.
    pub(crate) fn needs_readers(&self) -> bool {
        self.emits
    }

    /// Whether its tasks can be started by name.
    pub(crate) fn is_registered(&self) -> bool {
        self.prepare.is_some()
    }

    /// Fails if the input doesn't fit.
    pub(crate) fn check(&self, input: &Json) -> Result<(), Error> {
        self.prepare(input).map(drop)
    }

    /// Returns an error about an input. If that is secret, the error says nothing of it.
    pub(crate) fn of_input(&self, error: Error) -> Error {
        if self.policy.secret_input { error.without_input() } else { error }
    }

    /// Reads the input and returns an attempt that is ready to run.
    pub(crate) fn prepare(&self, input: &Json) -> Result<W, Error> {
        match &self.prepare {
            Some(prepare) => prepare(input).map_err(|error| self.of_input(error)),
            None => Err(Error::unknown_task(&self.name)),
        }
    }
}

fn emits<I: 'static>() -> bool {
    TypeId::of::<I>() != TypeId::of::<Never>()
}
