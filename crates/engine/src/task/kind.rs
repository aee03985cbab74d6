use std::sync::Arc;

use super::counts::Counters;
use crate::{error::Error, json::Json, policy::Policy};

/// Reads an input and gets an attempt ready to run.
type Prepare<W> = Box<dyn Fn(&Json) -> Result<W, Error> + Send + Sync>;

/// A kind of work with its types erased. `W` is what runs: one attempt, ready.
pub struct Kind<W> {
    /// What its tasks are started under.
    pub name: Arc<str>,
    pub(crate) policy: Policy,
    /// The tasks of this kind by status; for all that were spawned without a kind, one for all.
    pub(crate) counters: Arc<Counters>,
    prepare: Option<Prepare<W>>,
}

impl<W> Kind<W> {
    /// A kind whose tasks are started by name.
    pub(crate) fn registered(
        name: Arc<str>,
        policy: Policy,
        prepare: impl Fn(&Json) -> Result<W, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { name, policy, counters: Arc::default(), prepare: Some(Box::new(prepare)) }
    }

    /// Work that is run once and can't be started by name.
    pub(crate) fn ad_hoc(name: &str, counters: &Arc<Counters>) -> Self {
        Self { name: name.into(), policy: Policy::default(), counters: Arc::clone(counters), prepare: None }
    }

    /// What runs as the batch of tasks of this kind.
    pub(crate) fn batch(&self) -> Self {
        let Policy { grace, on_exit, on_owner_closed, .. } = self.policy;
        let policy = Policy { grace, on_exit, on_owner_closed, ..Policy::default() };
        Self { name: Arc::clone(&self.name), policy, counters: Arc::default(), prepare: None }
    }

    /// Whether tasks of it can be started by name.
    pub(crate) fn is_registered(&self) -> bool {
        self.prepare.is_some()
    }

    /// Whether the input fits.
    pub(crate) fn check(&self, input: &Json) -> Result<(), Error> {
        self.prepare(input).map(drop)
    }

    /// Reads the input and gets an attempt ready to run.
    pub(crate) fn prepare(&self, input: &Json) -> Result<W, Error> {
        match &self.prepare {
            Some(prepare) => prepare(input),
            None => Err(Error::unknown_task(&self.name)),
        }
    }
}
