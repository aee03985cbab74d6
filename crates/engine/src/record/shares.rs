//! Who owns a task, and which calls have a share in it.
//!
//! Each call that starts or joins a task has a share in it, until the share is given back or its holder goes. The app's
//! share is never given back. A task whose last share was given back is wanted by nobody: see [`Left::Last`].
//!
//! The owner may do everything with its task, even after its shares were given back. A holder that doesn't own the task may
//! only be told of it. If the owner goes, the oldest share whose holder may start the kind by itself makes its holder the
//! owner; without one, the app owns the task.

use crate::{OnOwnerClosed, TaskId, error::refusal::Refusal, task::owner::Owner};

/// The most shares in one task that one holder may have.
pub(crate) const SHARES_LIMIT: usize = 1_024;

/// The owner of a task, and the shares in it.
#[derive(Debug)]
pub struct Shares {
    owner: Owner,
    /// `None` as long as nothing but the call that started the task has ever had a share.
    list: Option<Box<List>>,
}

#[derive(Debug)]
struct List {
    /// Whether the app has a share.
    app: bool,
    /// The others that have shares.
    holders: Vec<Holder>,
    /// How many shares there were so far, the app's aside.
    made: u64,
    /// How often the owner has changed.
    owners: u32,
    /// How often somebody became a holder, or ceased to be one.
    changes: u32,
}

/// All shares of one holder.
#[derive(Debug)]
struct Holder {
    owner: Owner,
    /// Oldest first, and never empty.
    shares: Vec<Share>,
}

#[derive(Debug)]
struct Share {
    /// Orders the shares of all holders by age.
    number: u64,
    /// The call that has joined the task; `None` for the one that started it.
    call: Option<TaskId>,
    /// Whether its holder may start the kind by itself.
    may_start: bool,
}

/// A call that gets a share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joiner<'a> {
    pub(crate) holder: &'a Owner,
    /// Its id.
    pub(crate) call: TaskId,
    /// Whether the holder may start the kind by itself.
    pub(crate) may_start: bool,
}

impl<'a> Joiner<'a> {
    /// Returns a call that triggers a run of a schedule.
    pub(crate) fn of_trigger(holder: &'a Owner, call: TaskId) -> Self {
        // Nothing is known of what the caller may start by itself.
        Self { holder, call, may_start: false }
    }
}

/// What is left after shares were given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing was given back.
    Same,
    /// Others are left.
    Others,
    /// None is left.
    Last,
}

/// What follows for a task when holders have gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Whether another owns it, or others are told of it.
    pub(crate) is_change: bool,
    /// Whether the task is to be cancelled, since nobody is left.
    pub(crate) cancels: bool,
    /// The calls that had joined it, and whose shares are gone.
    pub(crate) calls: Vec<TaskId>,
}

/// How holders are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// For good.
    Closed,
    /// They may come back. Only the tasks that are cancelled without an owner are affected.
    Silent,
}

impl Shares {
    /// `owner` has started the task.
    pub(crate) fn new(owner: Owner) -> Self {
        Self { owner, list: None }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Returns whether `who` may be told of the task: its owner and all who have a share in it may.
    pub fn tells(&self, who: &Owner) -> bool {
        self.owner == *who || self.list.as_ref().is_some_and(|list| list.of(who).is_some())
    }

    /// Returns all who may be told of the task: its owner and all who have a share in it, some of them twice.
    pub(crate) fn all_told(&self) -> impl Iterator<Item = &Owner> {
        let holders = self.list.iter().flat_map(|list| &list.holders);
        std::iter::once(&self.owner).chain(holders.map(|holder| &holder.owner))
    }

    /// Returns whether any of those whom `which` names may be told of the task. The app needs no share for that.
    pub(crate) fn tells_any(&self, which: impl Fn(&Owner) -> bool) -> bool {
        let owns = self.owner != Owner::App && which(&self.owner);
        owns || self.list.as_ref().is_some_and(|list| list.holders.iter().any(|holder| which(&holder.owner)))
    }

    /// Changes whenever the owner does.
    pub(super) fn owner_revision(&self) -> u32 {
        self.list.as_ref().map_or(0, |list| list.owners)
    }

    /// Changes whenever others may be told.
    pub(super) fn told_revision(&self) -> u32 {
        self.list.as_ref().map_or(0, |list| list.changes)
    }

    /// Returns the calls that have joined the task and still have a share.
    pub(crate) fn calls(&self) -> impl Iterator<Item = TaskId> {
        let holders = self.list.iter().flat_map(|list| &list.holders);
        holders.flat_map(|holder| holder.shares.iter().filter_map(|share| share.call))
    }

    /// Gives a call a share; the app needs no more than one. A call that has a share already gets no other. Returns whether
    /// somebody may be told now who wasn't before. Fails if the holder has too many shares.
    pub(crate) fn add(&mut self, Joiner { holder, call, may_start }: Joiner<'_>) -> Result<bool, Refusal> {
        let was_told = self.tells(holder);
        let list = self.list();
        if *holder == Owner::App {
            list.app = true;
            return Ok(false);
        }
        let share = Share { number: list.made, call: Some(call), may_start };
        match list.holders.iter_mut().find(|known| known.owner == *holder) {
            Some(known) if known.shares.iter().any(|share| share.call == Some(call)) => return Ok(false),
            Some(known) if known.shares.len() >= SHARES_LIMIT => return Err(too_many()),
            Some(known) => known.shares.push(share),
            None => list.holders.push(Holder { owner: holder.clone(), shares: vec![share] }),
        }
        list.made += 1;
        list.changes = list.changes.wrapping_add(u32::from(!was_told));
        Ok(!was_told)
    }

    /// Gives back the share of one call; `None` is the one that started the task.
    pub(crate) fn give_back(&mut self, holder: &Owner, call: Option<TaskId>) -> Left {
        if *holder == Owner::App || !self.tells(holder) {
            return Left::Same;
        }
        let list = self.list();
        let Some(place) = list.holders.iter().position(|known| known.owner == *holder) else { return Left::Same };
        let shares = &mut list.holders[place].shares;
        let Some(at) = shares.iter().position(|share| share.call == call) else { return Left::Same };
        shares.remove(at);
        if shares.is_empty() {
            list.holders.remove(place);
            list.changes = list.changes.wrapping_add(1);
        }
        if list.is_empty() { Left::Last } else { Left::Others }
    }

    /// Gives back the shares of all that `are_gone`, and finds another owner if the owner is one of them. `policy` is what the
    /// kind says about its owner.
    pub(crate) fn depart(&mut self, are_gone: impl Fn(&Owner) -> bool, gone: Gone, policy: OnOwnerClosed) -> Departure {
        let cancels = policy == OnOwnerClosed::Cancel;
        if !self.tells_any(&are_gone) || (gone == Gone::Silent && !cancels) {
            return Departure::default();
        }
        let owner_goes = self.owner != Owner::App && are_gone(&self.owner);
        let list = self.list();
        let stays = list.app || list.holders.iter().any(|holder| !are_gone(&holder.owner));
        if !stays && gone == Gone::Silent {
            // They may learn how it ends if they come back.
            return Departure { cancels, ..Departure::default() };
        }
        let left = list.holders.extract_if(.., |holder| are_gone(&holder.owner));
        let calls: Vec<_> = left.flat_map(|holder| holder.shares).filter_map(|share| share.call).collect();
        list.changes = list.changes.wrapping_add(1);
        let heir = list.heir().cloned();
        if owner_goes {
            list.owners = list.owners.wrapping_add(1);
            // If it goes on without its owner, it is a task of the app like any other.
            list.app |= heir.is_none() && !cancels;
            self.owner = heir.unwrap_or(Owner::App);
        }
        Departure { is_change: true, cancels: cancels && !stays, calls }
    }

    fn list(&mut self) -> &mut List {
        let owner = &self.owner;
        self.list.get_or_insert_with(|| Box::new(List::of_start(owner)))
    }
}

impl List {
    /// The shares of a task that nobody but its owner has started or joined.
    fn of_start(owner: &Owner) -> Self {
        let share = Share { number: 0, call: None, may_start: true };
        let app = *owner == Owner::App;
        let holders = if app { vec![] } else { vec![Holder { owner: owner.clone(), shares: vec![share] }] };
        Self { app, holders, made: 1, owners: 0, changes: 0 }
    }

    fn of(&self, who: &Owner) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.owner == *who)
    }

    fn is_empty(&self) -> bool {
        !self.app && self.holders.is_empty()
    }

    /// Returns the holder of the oldest share among those whose holders may start the kind by themselves.
    fn heir(&self) -> Option<&Owner> {
        let oldest = |holder: &Holder| holder.shares.iter().find(|share| share.may_start).map(|share| share.number);
        let heirs = self.holders.iter().filter_map(|holder| Some((oldest(holder)?, &holder.owner)));
        heirs.min_by_key(|(number, _)| *number).map(|(_, owner)| owner)
    }
}

fn too_many() -> Refusal {
    let remedy = "give back the shares of calls that no longer need the task, or join it once and share the handle";
    Refusal::exceeds_fixed("sharesOfTask", SHARES_LIMIT as u64, "shares of one caller in one task", remedy)
}

#[cfg(test)]
mod tests;
