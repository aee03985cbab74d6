//! Starts tasks, batches, retries and spawned work.

use std::{hash::BuildHasher, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    engine::Engine,
    handler::{Errors, erase},
    scheduler::{self, Arrival},
};
use crate::{
    context::TaskContext,
    error::{Error, refusal::Refusal},
    json::Json,
    quota::accounts::{Account, Bill},
    record::{Kind, Record, Work, birth::Birth, follower::Follower},
    start_options::{BatchOptions, StartOptions},
    task::{id::TaskId, owner::Owner, status::TaskStatus},
};

/// The most members that a batch can have.
pub const BATCH_LIMIT: usize = 10_000;

/// What one task is started with.
#[allow(missing_docs)]
pub struct Start<'a> {
    pub id: TaskId,
    pub task: &'a str,
    pub input: Json,
    pub owner: Owner,
    pub options: StartOptions,
    /// Says whether the caller may join or replace an existing task.
    pub sees: &'a dyn Fn(&Record) -> bool,
}

/// What a batch is started with.
#[allow(missing_docs)]
pub struct StartBatch<'a> {
    pub id: TaskId,
    pub task: &'a str,
    pub inputs: Vec<Json>,
    pub owner: Owner,
    pub options: BatchOptions,
}

/// What is particular to a call that starts a task, other than the task itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call<'a> {
    /// The account whose quotas hold.
    pub(crate) account: Option<Account>,
    /// Who gets a share in the task beside its owner.
    pub(crate) sharer: Option<&'a Owner>,
    /// The task that the new one runs again.
    pub(crate) rerun_of: Option<TaskId>,
}

impl Engine {
    /// Starts a task. Returns an existing task if an earlier call with the same arguments started it, or if it has the
    /// same key and the options say to join it.
    ///
    /// A failure of the task is not logged while the follower is held, so the caller has time to watch the task.
    pub fn start(&self, start: Start<'_>) -> Result<Follower, Error> {
        self.start_on(None, start)
    }

    /// Like [`start`](Self::start), for a caller with an account. Also fails if a quota of the account doesn't allow it. A
    /// repeated call needs nothing of the quotas.
    pub fn start_on(&self, account: Option<Account>, start: Start<'_>) -> Result<Follower, Error> {
        self.unless_repeated(Repeat::of(&start), || {
            self.check_call(account, start.input.len())?;
            self.start_new(Call { account, ..Call::default() }, start)
        })
    }

    /// Like [`start_on`](Self::start_on), with an input that is on hand already, so it is not one of the call.
    pub(crate) fn start_kept(&self, call: Call<'_>, start: Start<'_>) -> Result<Follower, Error> {
        self.unless_repeated(Repeat::of(&start), || self.start_new(call, start))
    }

    fn start_new(&self, call: Call<'_>, start: Start<'_>) -> Result<Follower, Error> {
        let Call { account, sharer, rerun_of } = call;
        let Start { id, task, input, owner, options, sees } = start;
        options.check()?;
        let kind = self.kind(task)?;
        let bill = self.bill(account, 1, input.len() + options.kept_bytes(false), options.may_join())?;
        let work = kind.prepare(&input)?;
        let kind = Arc::clone(kind);
        let birth = Birth { id, kind, input, owner, options, parent: None, members: None };
        scheduler::start(&self.transitions, Arrival { birth, work, sees, bill, sharer, rerun_of })
    }

    /// Starts a batch and its members: all of them or none. Otherwise like [`start`](Self::start).
    pub fn start_batch(&self, start: StartBatch<'_>) -> Result<Follower, Error> {
        self.start_batch_on(None, start)
    }

    /// Like [`start_batch`](Self::start_batch), for a caller with an account, as [`start_on`](Self::start_on) is. The batch
    /// needs as much of the quotas as its members.
    pub fn start_batch_on(&self, account: Option<Account>, start: StartBatch<'_>) -> Result<Follower, Error> {
        let StartBatch { id, task, ref inputs, ref owner, .. } = start;
        if inputs.len() > BATCH_LIMIT {
            return Err(Refusal::BatchTooLarge { task: task.to_owned(), size: inputs.len(), limit: BATCH_LIMIT }.into());
        }
        let input = self.digest(inputs);
        let repeat = Repeat { id, task, owner: owner.clone(), input: input.clone() };
        self.unless_repeated(repeat, || self.start_new_batch(account, input, start))
    }

    fn start_new_batch(&self, account: Option<Account>, input: Json, start: StartBatch<'_>) -> Result<Follower, Error> {
        let StartBatch { id, task, inputs, owner, options } = start;
        let bytes = inputs.iter().map(Json::len).sum();
        self.check_call(account, bytes)?;
        let concurrency = options.concurrency;
        let (batch_options, member_options) = options.split();
        batch_options.check()?;
        let kind = self.kind(task)?;
        let bill = self.bill(account, inputs.len(), bytes + batch_options.kept_bytes(false), false)?;
        for (place, input) in inputs.iter().enumerate() {
            kind.check(input).map_err(|error| error.of_member(place))?;
        }
        let member = |input| Birth {
            id: TaskId::new(),
            kind: Arc::clone(kind),
            input,
            owner: owner.clone(),
            options: member_options.clone(),
            parent: Some(id),
            members: None,
        };
        let members: Vec<_> = inputs.into_iter().map(member).collect();
        let batch = Birth {
            id,
            kind: Arc::new(kind.batch()),
            input,
            owner: owner.clone(),
            options: batch_options,
            parent: None,
            members: Some(members.iter().map(|member| member.id).collect()),
        };
        scheduler::start_batch(&self.transitions, batch, members, concurrency, bill)
    }

    /// Starts a new task with the kind, input and options of `record`, the id `id` and the owner `owner`. Fails if
    /// `record` is a batch or was spawned, and unless it failed, was cancelled or timed out. `sees` says whether the
    /// caller may join or replace an existing task. The quotas of `account` hold as in [`start_on`](Self::start_on), except
    /// that the input is not one of the call.
    pub fn rerun(
        &self,
        account: Option<Account>,
        record: &Record,
        id: TaskId,
        owner: Owner,
        sees: &dyn Fn(&Record) -> bool,
    ) -> Result<Follower, Error> {
        let (name, status) = (record.name(), record.status());
        if id == record.id {
            return Err(Error::invalid_id(id));
        }
        if !status.is_final() {
            return Err(Error::not_ended(name, "run again"));
        }
        if record.members.is_some() {
            return Err(Error::not_rerunnable(name, "it is a batch; rerun the members that did not complete"));
        }
        if status == TaskStatus::Completed {
            return Err(Error::not_rerunnable(name, "it has completed; start a new task"));
        }
        if !record.kind.is_registered() {
            return Err(Error::not_rerunnable(name, "it was spawned, without a registered kind; spawn it again"));
        }
        let options = StartOptions { held: false, ..record.options() };
        let start = Start { id, task: name, input: record.input.clone(), owner, options, sees };
        let call = Call { account, rerun_of: Some(record.id), ..Call::default() };
        let started = self.start_kept(call, start)?;
        // It may have joined a task that began otherwise. But the id may be that of a start.
        if started.record().id == id && started.record().rerun_of() != Some(record.id) {
            return Err(Error::invalid_id(id));
        }
        Ok(started)
    }

    /// Runs `work` once, as a task of the app with this `name`.
    pub(crate) fn spawn<D, I, O, E, F, Fut>(&self, name: &str, work: F) -> Follower
    where
        D: 'static,
        I: 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: FnOnce(TaskContext<D, I>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let kind = Kind::ad_hoc::<I>(name, &self.spawned);
        let work = Work::new(&kind.name, move |record, attempt| erase(record, attempt, Errors::default(), work));
        let birth = Birth {
            id: TaskId::new(),
            kind: Arc::new(kind),
            input: Json::null(),
            owner: Owner::App,
            options: StartOptions::new(),
            parent: None,
            members: None,
        };
        let arrival = Arrival { birth, work, sees: &|_| true, bill: None, sharer: None, rerun_of: None };
        match scheduler::start(&self.transitions, arrival) {
            Ok(follower) => follower,
            Err(error) => unreachable!("a new id, no key and no queue to be full: {error}"),
        }
    }

    /// Fails if a call on this account may not have inputs of this many bytes together.
    fn check_call(&self, account: Option<Account>, bytes: usize) -> Result<(), Error> {
        match account {
            Some(_) => Ok(self.quotas.check_call(bytes)?),
            None => Ok(()),
        }
    }

    /// Returns what a call on this account needs that starts tasks whose inputs and options take this many bytes
    /// together. Fails if the account can't pay, before anything is made of the inputs. A call that `may_join` a task
    /// may need less.
    fn bill(
        &self,
        account: Option<Account>,
        tasks: usize,
        bytes: usize,
        may_join: bool,
    ) -> Result<Option<Bill>, Error> {
        let Some(account) = account else { return Ok(None) };
        let bill = self.bill_with_room(account, tasks, bytes);
        self.check_bill(if may_join { bill.joining() } else { bill })?;
        Ok(Some(bill))
    }

    /// Returns such a bill. If the account has no room for it, first forgets the ended tasks that exceed the retention,
    /// which take room until they leave.
    pub(crate) fn bill_with_room(&self, account: Account, tasks: usize, bytes: usize) -> Bill {
        let bill = Bill::of_tasks(account, tasks, bytes);
        let has_room = self.transitions.registry.lock().accounts.has_room(bill);
        if !has_room {
            self.transitions.expire();
        }
        bill
    }

    /// Fails if the account of a bill can't pay it.
    pub(crate) fn check_bill(&self, bill: Bill) -> Result<(), Error> {
        Ok(self.transitions.registry.lock().accounts.check(bill, Instant::now())?)
    }

    /// Returns what stands for the inputs of a batch, which are kept by its members.
    fn digest(&self, inputs: &[Json]) -> Json {
        let texts: Vec<_> = inputs.iter().map(Json::text).collect();
        Value::from(self.digests.hash_one(texts)).into()
    }

    /// Returns what an earlier call with the same arguments has started, or what `start` starts.
    fn unless_repeated(
        &self,
        repeat: Repeat<'_>,
        start: impl FnOnce() -> Result<Follower, Error>,
    ) -> Result<Follower, Error> {
        let Repeat { id, task, owner, input } = repeat;
        let known = || {
            let known = self.transitions.registry.lock().repeated(id, task, &owner, &input)?;
            Ok::<_, Error>(known.as_ref().map(Follower::joining))
        };
        if let Some(known) = known()? {
            return Ok(known);
        }
        // The same call may be made twice at once, and one of them may get what the other lacks.
        start().or_else(|error| known()?.ok_or(error))
    }
}

/// What makes a call the repeat of an earlier one.
struct Repeat<'a> {
    id: TaskId,
    task: &'a str,
    owner: Owner,
    input: Json,
}

impl<'a> Repeat<'a> {
    fn of(start: &Start<'a>) -> Self {
        Self { id: start.id, task: start.task, owner: start.owner.clone(), input: start.input.clone() }
    }
}
