//! Accepts new tasks, and launches those that may run at once.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    batch, clocks,
    supervisor::live,
    transitions::{Transitions, Turns},
};
use crate::{
    error::{Error, refusal::Refusal},
    keep::registry::Registry,
    queue::admission::{Admission, Admitted, Entrant, Hold, Holds, LaneKey, QueueFull, Scope},
    quota::accounts::Bill,
    record::{Record, Work, birth::Birth, follower::Follower, shares::Joiner, sharing::Joined},
    start_options::OnConflict,
    task::{cancel_reason::CancelReason, id::TaskId, life::Stop, owner::Owner},
};

/// A new task that is to be accepted.
pub(crate) struct Arrival<'a> {
    pub(crate) birth: Birth,
    /// What it runs. The input has been checked.
    pub(crate) work: Work,
    /// Says whether the caller may join or replace an existing task.
    pub(crate) sees: &'a dyn Fn(&Record) -> bool,
    /// What it needs of the quotas of its caller, if that has any.
    pub(crate) bill: Option<Bill>,
    /// Who gets a share in it beside its owner.
    pub(crate) sharer: Option<&'a Owner>,
    /// The task that it runs again.
    pub(crate) rerun_of: Option<TaskId>,
}

/// What a new task does about the live tasks with its key.
enum Rivals {
    /// There are none.
    None,
    /// It waits for them to end.
    Wait,
    /// It tells them to stop, and waits for them to end.
    Replace(Vec<Arc<Record>>),
    /// It is discarded. The caller gets this task instead, and has a share in it. `is_change` is whether that makes a change
    /// for the watchers.
    Join { joined: Arc<Record>, is_change: bool },
}

/// Accepts a task. Returns an existing one if an earlier call with this id started it, or if it has the same key and is
/// to be joined.
///
/// A failure of the task is not logged while the follower is held, so the caller has time to watch the task.
pub(crate) fn start(transitions: &Arc<Transitions>, arrival: Arrival<'_>) -> Result<Follower, Error> {
    let Arrival { birth, work, sees, bill, sharer, rerun_of } = arrival;
    let on_conflict = birth.options.on_conflict;
    // Before the walk over the tasks with the key, and before it joins one, which can't be taken back.
    let least = bill.map(|bill| if birth.options.may_join() { bill.joining() } else { bill });
    let mut entrant = entrant(&birth);
    let record = birth.record(&transitions.common);
    let follower = Follower::new(&record);
    if let Some(ended) = rerun_of {
        record.runs_again(ended);
    }
    let sharer = sharer.map(|holder| Joiner::of_trigger(holder, record.id));
    let visible =
        if on_conflict == OnConflict::Replace { look(transitions, &record, least, sees)? } else { Vec::new() };
    let mut replaced = Vec::new();
    let (turns, others_wait, expired, unused) = {
        let mut registry = transitions.registry.lock();
        // Checked again under the lock: the same call may have been made twice at once.
        if let Some(known) = registry.repeated(record.id, record.name(), &record.owner(), &record.input)? {
            return Ok(Follower::joining(&known));
        }
        check(&registry, &record, least)?;
        let bill = dated(bill);
        let awake_now = transitions.timers().awake_now();
        match rivals(&mut registry, &record, on_conflict, visible, sees, awake_now)? {
            Rivals::None => {}
            Rivals::Wait => entrant.holds = entrant.holds.with(Hold::Key),
            Rivals::Replace(rivals) => {
                entrant.holds = entrant.holds.with(Hold::Key);
                replaced = rivals;
            }
            Rivals::Join { joined, is_change } => {
                if let Some((bill, now)) = bill {
                    registry.accounts.pay(bill.joining(), now);
                }
                let expired = transitions.expire_in(&mut registry);
                drop(registry);
                transitions.have_left(&expired);
                if is_change {
                    joined.notify();
                }
                return Ok(Follower::joining(&joined));
            }
        }
        // It joins none, so it needs all of its bill.
        if let Some((bill, now)) = bill {
            registry.accounts.check(bill, now)?;
        }
        if let Some(joiner) = sharer {
            registry.check_share(joiner.call, joiner.holder)?;
            // Nobody has found it yet, so it is not a change.
            record.add_share(joiner)?;
        }
        let (admitted, others_wait) = enter(transitions, |admission| {
            // The replaced tasks leave their places in the queue, so they don't count towards its limit.
            let leaving = replaced.iter().filter(|rival| admission.queue_state(rival.id).is_some()).count();
            admission.enter(vec![entrant], leaving)
        })?;
        // What is refused, as by a full queue, costs nothing.
        if let Some((bill, now)) = bill {
            record.charge_to(registry.accounts.pay(bill, now).task(record.kept_bytes()));
        }
        registry.insert(&record);
        if let Some(joiner) = sharer {
            registry.note_join(joiner, &record, awake_now);
        }
        // A waiting task keeps only its input, and deserializes it again when it begins.
        let unused = if admitted.begin.contains(&record.id) || !record.kind.is_registered() {
            record.set_work(work);
            None
        } else {
            Some(work)
        };
        (Turns::of(&admitted, &registry), others_wait, transitions.expire_in(&mut registry), unused)
    };
    drop(unused);
    transitions.tell_places(others_wait);
    transitions.have_left(&expired);
    announce(transitions, &record);
    // Those that have ended meanwhile are skipped.
    transitions.stop_all(replaced, CancelReason::Replaced);
    transitions.launch(turns);
    if !record.kind.is_registered() && transitions.registry.lock().gate.is_closed() {
        let _ = transitions.stop(&record, Stop::Cancel(CancelReason::Shutdown));
    }
    Ok(follower)
}

/// Fails if a new task is not accepted, or if its caller can't pay at least this.
fn check(registry: &Registry, record: &Record, least: Option<Bill>) -> Result<(), Error> {
    // A spawned task can't be refused. If the gate is closed, it is cancelled at the end of its start.
    if record.kind.is_registered() {
        registry.gate.check(record.name(), record.kind.policy.restart.is_some())?;
    }
    if let Some((bill, now)) = dated(least) {
        registry.accounts.check(bill, now)?;
    }
    Ok(())
}

/// Returns the tasks with its key that `record` would replace, oldest first. Fails if the caller doesn't see one of them, or as
/// [`check`] does. There may be many, so they are looked at outside of the registry's lock, which every call needs.
fn look(
    transitions: &Transitions,
    record: &Record,
    least: Option<Bill>,
    sees: &dyn Fn(&Record) -> bool,
) -> Result<Vec<Arc<Record>>, Error> {
    let Some(key) = record.key() else { return Ok(Vec::new()) };
    let mut rivals: Vec<_> = {
        let registry = transitions.registry.lock();
        check(&registry, record, least)?;
        registry.keyed(record.name(), key, 0).cloned().collect()
    };
    // A repeat of the call has started it meanwhile.
    rivals.retain(|rival| rival.id != record.id && !rival.status().is_final());
    match rivals.iter().find(|rival| !sees(rival)) {
        Some(hidden) => Err(taken(record, key, hidden, sees)),
        None => Ok(rivals),
    }
}

fn taken(record: &Record, key: &str, rival: &Record, sees: &dyn Fn(&Record) -> bool) -> Error {
    let rival = Some(rival).filter(|rival| sees(rival)).map(|rival| rival.id.to_string());
    Refusal::KeyTaken { task: record.name().to_owned(), key: key.to_owned(), rival }.into()
}

/// Decides what `record` does about the live tasks with its key, and joins one of them if that is what it does. The caller sees
/// those in `visible`, oldest first: all that it would replace, unless others have come meanwhile.
fn rivals(
    registry: &mut Registry,
    record: &Record,
    on_conflict: OnConflict,
    mut visible: Vec<Arc<Record>>,
    sees: &dyn Fn(&Record) -> bool,
    now: Duration,
) -> Result<Rivals, Error> {
    let Some(key) = record.key() else { return Ok(Rivals::None) };
    let Some(first) = registry.with_key(record.name(), key).next() else { return Ok(Rivals::None) };
    let taken = |rival: &Record| Err(taken(record, key, rival, sees));
    match on_conflict {
        OnConflict::Append => Ok(Rivals::Wait),
        OnConflict::Refuse => taken(first),
        OnConflict::Replace => {
            let last = visible.last().map_or(0, |last| last.order());
            let later = || registry.keyed(record.name(), key, last).filter(|rival| !rival.status().is_final());
            if let Some(hidden) = later().find(|rival| !sees(rival)) {
                return taken(hidden);
            }
            visible.extend(later().cloned());
            Ok(Rivals::Replace(visible))
        }
        OnConflict::Join => loop {
            // A task that is about to stop is not joined. If there is no other task, the new one waits for it to end.
            let Some(lasting) = registry.with_key(record.name(), key).find(|rival| rival.lasts()).cloned() else {
                return Ok(Rivals::Wait);
            };
            if !sees(&lasting) {
                return taken(&lasting);
            }
            let joiner = Joiner { holder: &record.owner(), call: record.id, may_start: true };
            // It may be told to stop meanwhile.
            if let Some(Joined { is_change }) = registry.join(joiner, &lasting, now)? {
                return Ok(Rivals::Join { joined: lasting, is_change });
            }
        },
    }
}

/// Accepts a batch and its members: all of them or none. `bill` is what they need of the quotas of their caller.
pub(crate) fn start_batch(
    transitions: &Arc<Transitions>,
    batch: Birth,
    members: Vec<Birth>,
    concurrency: Option<usize>,
    bill: Option<Bill>,
) -> Result<Follower, Error> {
    let mut entrants: Vec<_> = members.iter().map(entrant).collect();
    // A batch without a limit of its own needs no queue of its own.
    let own = concurrency.map(|_| batch.id);
    for entrant in &mut entrants {
        entrant.lane.batch = own;
    }
    let batch = batch.record(&transitions.common);
    let follower = Follower::new(&batch);
    let members: Vec<_> = members.into_iter().map(|birth| birth.record(&transitions.common)).collect();
    batch.set_work(batch::work(&batch.kind.name, members.iter().map(Follower::new).collect()));
    // The batch begins before its members can, takes no slot, and ends after the last of them.
    let begun = batch.begin_unseen();
    for member in &members {
        if let Some((attempt, _)) = &begun {
            member.keep_batch(&batch, attempt.beside().1);
        }
    }
    let (turns, others_wait) = {
        let mut registry = transitions.registry.lock();
        if let Some(known) = registry.repeated(batch.id, batch.name(), &batch.owner(), &batch.input)? {
            return Ok(Follower::joining(&known));
        }
        registry.gate.check(batch.name(), false)?;
        let bill = dated(bill);
        if let Some((bill, now)) = bill {
            registry.accounts.check(bill, now)?;
        }
        let (admitted, others_wait) = enter(transitions, |admission| {
            if concurrency.is_some() {
                admission.set_limit(Scope::Batch(batch.id), concurrency);
            }
            admission.enter(entrants, 0)
        })?;
        if let Some((bill, now)) = bill {
            let paid = registry.accounts.pay(bill, now);
            batch.charge_to(paid.batch(members.len(), batch.kept_bytes()));
            for member in &members {
                member.charge_to(paid.task(member.kept_bytes()));
            }
        }
        registry.insert(&batch);
        for member in &members {
            registry.insert(member);
        }
        (Turns::of(&admitted, &registry), others_wait)
    };
    transitions.tell_places(others_wait);
    announce(transitions, &batch);
    for member in &members {
        announce(transitions, member);
    }
    if let Some((attempt, work)) = begun {
        transitions.runtimes.control.spawn(live(Arc::clone(transitions), batch, attempt, work));
    }
    transitions.launch(turns);
    transitions.expire();
    Ok(follower)
}

/// Returns a bill with the time at which it is paid. A caller without one need not ask for the time.
fn dated(bill: Option<Bill>) -> Option<(Bill, Instant)> {
    bill.map(|bill| (bill, Instant::now()))
}

/// Adds tasks to the queues. Returns the tasks that may run at once, and whether others wait, whose places may have
/// moved.
fn enter(
    transitions: &Transitions,
    enter: impl FnOnce(&mut Admission) -> Result<(), QueueFull>,
) -> Result<(Admitted, bool), Error> {
    let mut admission = transitions.common.admission.lock();
    enter(&mut admission).map_err(|QueueFull { of, limit }| {
        let task = if let Scope::Kind(name) = of { Some(name.to_string()) } else { None };
        Refusal::QueueFull { task, limit }
    })?;
    Ok((admission.admit(), admission.is_waiting()))
}

/// Counts a new task, tells the watchers about it, and starts its clocks.
fn announce(transitions: &Arc<Transitions>, record: &Arc<Record>) {
    record.announce();
    clocks::start_of_life(transitions, record);
}

fn entrant(birth: &Birth) -> Entrant {
    let mut holds = Holds::default();
    if birth.options.held {
        holds = holds.with(Hold::User);
    }
    if birth.delay().is_some() {
        holds = holds.with(Hold::Delay);
    }
    let kind = birth.kind.is_registered().then(|| Arc::clone(&birth.kind.name));
    Entrant { id: birth.id, lane: LaneKey { kind, batch: None }, priority: birth.options.priority, holds }
}
