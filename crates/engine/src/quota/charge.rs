use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

/// What an account has used. Each change of it is one of a [`Charge`].
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// How many charges are open.
    open: AtomicI64,
    /// How many of its tasks have not ended.
    live: AtomicI64,
    bytes: AtomicI64,
}

/// What one task counts for on the account of the caller who has started it, until it is closed.
#[derive(Debug)]
pub(crate) struct Charge {
    balance: Arc<Balance>,
    is_live: AtomicBool,
    /// How many bytes; [`CLOSED`] once it is closed.
    bytes: AtomicU64,
}

const CLOSED: u64 = u64::MAX;

impl Balance {
    pub(super) fn live(&self) -> u64 {
        read(&self.live)
    }

    pub(super) fn bytes(&self) -> u64 {
        read(&self.bytes)
    }

    pub(super) fn is_settled(&self) -> bool {
        read(&self.open) == 0
    }
}

/// A charge may be closed on one thread before another has added what it counts.
fn read(number: &AtomicI64) -> u64 {
    u64::try_from(number.load(Relaxed)).unwrap_or(0)
}

impl Charge {
    /// Opens a charge for a task with this many bytes of input, which counts as one that has not ended if it `is_live`.
    pub(super) fn open(balance: &Arc<Balance>, is_live: bool, bytes: u64) -> Arc<Self> {
        balance.open.fetch_add(1, Relaxed);
        balance.live.fetch_add(i64::from(is_live), Relaxed);
        balance.bytes.fetch_add(signed(bytes), Relaxed);
        Arc::new(Self {
            balance: Arc::clone(balance),
            is_live: AtomicBool::new(is_live),
            bytes: AtomicU64::new(bytes.min(CLOSED - 1)),
        })
    }

    /// Notes that the task has ended with an outcome of this many bytes.
    pub(crate) fn end(&self, outcome: usize) {
        self.leave_live();
        self.change(0, outcome);
    }

    /// Counts a part of the task that took `before` bytes and takes `now`.
    pub(crate) fn change(&self, before: usize, now: usize) {
        let by = signed(now as u64) - signed(before as u64);
        let changed = self.bytes.fetch_update(Relaxed, Relaxed, |bytes| {
            (bytes != CLOSED).then(|| bytes.saturating_add_signed(by).min(CLOSED - 1))
        });
        if changed.is_ok() {
            self.balance.bytes.fetch_add(by, Relaxed);
        }
    }

    /// Gives all of it back. The task counts for nobody from now on.
    pub(crate) fn close(&self) {
        self.leave_live();
        let bytes = self.bytes.swap(CLOSED, Relaxed);
        if bytes != CLOSED {
            self.balance.bytes.fetch_sub(signed(bytes), Relaxed);
            self.balance.open.fetch_sub(1, Relaxed);
        }
    }

    fn leave_live(&self) {
        if self.is_live.swap(false, Relaxed) {
            self.balance.live.fetch_sub(1, Relaxed);
        }
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_charge_that_is_closed_while_others_add_to_it_leaves_nothing_behind() {
        for _ in 0..200 {
            let balance = Arc::<Balance>::default();
            let charge = Charge::open(&balance, true, 10);
            thread::scope(|scope| {
                scope.spawn(|| (0..50).for_each(|item| charge.change(item, item + 1)));
                scope.spawn(|| charge.end(100));
                scope.spawn(|| charge.close());
                scope.spawn(|| charge.close());
            });
            let left = (balance.bytes.load(Relaxed), balance.live.load(Relaxed), balance.open.load(Relaxed));
            assert_eq!(left, (0, 0, 0));
        }
    }
}
