//! A kind of task: its name, how its tasks are treated, and how many there are.

pub(crate) mod counts;

use std::sync::Arc;

use self::counts::Counters;
use crate::{error::Error, json::Json, policy::Policy};

/// Reads an input and returns an attempt that is ready to run.
type Prepare<W> = Box<dyn Fn(&Json) -> Result<W, Error> + Send + Sync>;

/// A kind of task with its types erased. `W` is an attempt that is ready to run.
pub struct Kind<W> {
    /// The name that its tasks are started by.
    pub name: Arc<str>,
    pub(crate) policy: Policy,
    /// Counts the tasks of this kind by status. All tasks that were spawned without a kind share one.
    pub(crate) counters: Arc<Counters>,
    prepare: Option<Prepare<W>>,
}

impl<W> Kind<W> {
    /// Returns a kind whose tasks are started by name.
    pub(crate) fn registered(
        name: Arc<str>,
        policy: Policy,
        prepare: impl Fn(&Json) -> Result<W, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { name, policy, counters: Arc::default(), prepare: Some(Box::new(prepare)) }
    }

    /// Returns a kind for work that runs once and can't be started by name.
    pub(crate) fn ad_hoc(name: &str, counters: &Arc<Counters>) -> Self {
        Self { name: name.into(), policy: Policy::default(), counters: Arc::clone(counters), prepare: None }
    }

    /// Returns the kind of a batch of tasks of this kind.
    pub(crate) fn batch(&self) -> Self {
        let Policy { grace, on_exit, on_owner_closed, batch_progress, .. } = self.policy;
        let policy = Policy { grace, on_exit, on_owner_closed, batch_progress, ..Policy::default() };
        Self { name: Arc::clone(&self.name), policy, counters: Arc::default(), prepare: None }
    }

    /// Whether its tasks can be started by name.
    pub(crate) fn is_registered(&self) -> bool {
        self.prepare.is_some()
    }

    /// Fails if the input doesn't fit.
    pub(crate) fn check(&self, input: &Json) -> Result<(), Error> {
        self.prepare(input).map(drop)
    }

    /// Reads the input and returns an attempt that is ready to run.
    pub(crate) fn prepare(&self, input: &Json) -> Result<W, Error> {
        match &self.prepare {
            Some(prepare) => prepare(input),
            None => Err(Error::unknown_task(&self.name)),
        }
    }
}
