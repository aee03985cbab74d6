//! The accounts of those who have quotas.
//!
//! Invariants:
//! - an account counts the tasks of its own calls and nobody else's. A caller in Rust has no account, so no quota;
//! - a call is either paid for as a whole, or refused and costs nothing;
//! - an account that has no charge and all of its starts is as good as none, and is forgotten.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use tokio::time::Instant;

use super::{
    charge::{Balance, Charge},
    quotas::Quotas,
    token_bucket::TokenBucket,
};
use crate::error::refusal::Refusal;

/// Whose quotas a call counts against. A delivery layer chooses the number, which need not be that of an
/// [`Owner`](crate::delivery::Owner).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account(pub u64);

/// What a call needs of the quotas of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bill {
    account: Account,
    starts: u64,
    live_tasks: u64,
    bytes: u64,
}

impl Bill {
    /// That of starting tasks whose inputs and options take this many bytes together. A batch needs as much as its
    /// members; one without members needs as much as a task.
    pub(crate) fn of_tasks(account: Account, tasks: usize, bytes: usize) -> Self {
        let tasks = tasks.max(1) as u64;
        Self { account, starts: tasks, live_tasks: tasks, bytes: bytes as u64 }
    }

    /// That of joining an existing task.
    pub(crate) fn of_join(account: Account) -> Self {
        Self { account, starts: 1, live_tasks: 0, bytes: 0 }
    }

    /// That of the same call if it joins an existing task.
    pub(crate) fn joining(self) -> Self {
        Self::of_join(self.account)
    }
}

#[derive(Default)]
pub(crate) struct Accounts {
    quotas: Quotas,
    accounts: HashMap<Account, Entry>,
}

struct Entry {
    balance: Arc<Balance>,
    /// `None` if there is no limit.
    starts: Option<TokenBucket>,
}

impl Entry {
    fn is_as_good_as_none(&self, now: Instant) -> bool {
        self.balance.is_settled() && self.starts.as_ref().is_none_or(|starts| starts.is_full(now))
    }
}

/// An account that has paid for a call: the tasks of this call are charged to it.
pub(crate) struct Paid(Arc<Balance>);

impl Paid {
    /// Charges a task whose input and options take this many bytes.
    pub(crate) fn task(&self, bytes: usize) -> Arc<Charge> {
        Charge::open(&self.0, true, bytes as u64)
    }

    /// Charges a batch whose options take this many bytes, and which has this many members, which are charged as well.
    pub(crate) fn batch(&self, members: usize, bytes: usize) -> Arc<Charge> {
        Charge::open(&self.0, members == 0, bytes as u64)
    }
}

impl Accounts {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self { quotas, accounts: HashMap::new() }
    }

    /// Whether an account may have what a bill adds to what it has on hand.
    pub(crate) fn has_room(&self, bill: Bill) -> bool {
        self.check_on_hand(bill).is_ok()
    }

    fn check_on_hand(&self, bill: Bill) -> Result<(), Refusal> {
        let used = self.accounts.get(&bill.account).map_or(0, |entry| entry.balance.bytes());
        ON_HAND.check(self.quotas.bytes_on_hand, used, bill.bytes)
    }

    /// Fails if an account can't pay its bill.
    pub(crate) fn check(&self, bill: Bill, now: Instant) -> Result<(), Refusal> {
        let entry = self.accounts.get(&bill.account);
        if bill.live_tasks > 0 {
            LIVE.check(self.quotas.live_tasks, entry.map_or(0, |entry| entry.balance.live()), bill.live_tasks)?;
            self.check_on_hand(bill)?;
        }
        let Some((per_second, at_once)) = self.starts() else { return Ok(()) };
        // Nobody should wait for what never comes.
        AT_ONCE.check(Some(at_once), 0, bill.starts)?;
        let has_starts = entry.and_then(|entry| entry.starts).is_none_or(|starts| starts.has(bill.starts, now));
        if has_starts { Ok(()) } else { Err(PER_SECOND.exceeded(per_second)) }
    }

    /// Makes an account pay its bill, which [`check`](Self::check) has allowed at the same time.
    pub(crate) fn pay(&mut self, bill: Bill, now: Instant) -> Paid {
        if !self.accounts.contains_key(&bill.account) {
            self.accounts.retain(|_, entry| !entry.is_as_good_as_none(now));
        }
        let starts = self.starts();
        let entry = self.accounts.entry(bill.account).or_insert_with(|| Entry {
            balance: Arc::default(),
            starts: starts.map(|(per_second, at_once)| TokenBucket::new(at_once, per_second, now)),
        });
        if let Some(starts) = &mut entry.starts {
            starts.take(bill.starts, now);
        }
        Paid(Arc::clone(&entry.balance))
    }

    /// Returns how many starts a second there may be, and how many at once, if they are limited.
    fn starts(&self) -> Option<(u64, u64)> {
        self.quotas.starts_per_second.zip(self.quotas.starts_at_once)
    }

    /// Returns how many tasks of an account have not ended, and how many bytes it has on hand.
    #[cfg(test)]
    pub(crate) fn used(&self, account: Account) -> (u64, u64) {
        self.accounts.get(&account).map_or((0, 0), |entry| (entry.balance.live(), entry.balance.bytes()))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }
}

/// How a quota is told to those who exceed it.
struct Named {
    quota: &'static str,
    what: &'static str,
    remedy: &'static str,
}

const LIVE: Named = Named {
    quota: "liveTasks",
    what: "tasks that have not ended",
    remedy: "wait until some have ended, or cancel some; those that a start would replace count until they have ended",
};
const PER_SECOND: Named = Named {
    quota: "startsPerSecond",
    what: "starts a second",
    remedy: "start fewer tasks at a time, or try again in a moment",
};
const AT_ONCE: Named =
    Named { quota: "startsAtOnce", what: "starts at once", remedy: "split the batch into smaller ones" };
const ON_HAND: Named = Named {
    quota: "bytesOnHand",
    what: "bytes of inputs, options, items and outcomes on hand",
    remedy: "read the items, and remove tasks that have ended or wait until the running ones have",
};
const PER_CALL: Named = Named {
    quota: "bytesPerCall",
    what: "bytes of input in one call",
    remedy: "send less at a time, or say where the data is instead of sending it",
};

impl Named {
    fn exceeded(&self, limit: u64) -> Refusal {
        Refusal::QuotaExceeded { quota: self.quota, limit, what: self.what, remedy: self.remedy.to_owned() }
    }

    /// Fails if `used` and `more` together exceed the limit.
    fn check(&self, limit: Option<u64>, used: u64, more: u64) -> Result<(), Refusal> {
        match limit {
            Some(limit) if used.saturating_add(more) > limit => Err(self.exceeded(limit)),
            _ => Ok(()),
        }
    }
}

impl Quotas {
    /// Fails if one call may not have inputs of this many bytes together.
    pub(crate) fn check_call(&self, bytes: usize) -> Result<(), Refusal> {
        PER_CALL.check(self.bytes_per_call, 0, bytes as u64)
    }
}

#[cfg(test)]
mod tests;
