use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::error::error_kind::ErrorKind;

const QUOTAS: Quotas = Quotas {
    live_tasks: Some(6),
    starts_per_second: Some(3),
    starts_at_once: Some(8),
    bytes_on_hand: Some(100),
    bytes_per_call: Some(40),
};

/// A task as the model sees it.
struct Task {
    account: u64,
    is_live: bool,
    /// What it takes by now: its input, its items and its outcome.
    bytes: [usize; 3],
    charge: Arc<Charge>,
}

/// The accounts as the plainest list of everything that ever happened.
struct Model {
    accounts: Accounts,
    begin: Instant,
    now: Duration,
    tasks: Vec<Task>,
    paid: Vec<(u64, Duration, u64)>,
}

#[derive(Debug, Clone)]
enum Step {
    Start {
        account: u64,
        tasks: usize,
        bytes: usize,
    },
    Join {
        account: u64,
    },
    End {
        task: prop::sample::Index,
        outcome: usize,
    },
    Items {
        task: prop::sample::Index,
        bytes: usize,
    },
    /// The task is removed, makes room for others, or has lost its owner.
    Leave {
        task: prop::sample::Index,
    },
    Wait {
        nanos: u64,
    },
}

fn steps() -> impl Strategy<Value = Step> {
    let task = any::<prop::sample::Index>;
    prop_oneof![
        5 => (0..3u64, 0..10usize, 0..9usize)
            .prop_map(|(account, tasks, bytes)| Step::Start { account, tasks, bytes }),
        1 => (0..3u64).prop_map(|account| Step::Join { account }),
        2 => (task(), 0..60usize).prop_map(|(task, outcome)| Step::End { task, outcome }),
        2 => (task(), 0..60usize).prop_map(|(task, bytes)| Step::Items { task, bytes }),
        3 => task().prop_map(|task| Step::Leave { task }),
        4 => (0..3_000_000_000u64).prop_map(|nanos| Step::Wait { nanos }),
    ]
}

impl Model {
    fn new() -> Self {
        Self {
            accounts: Accounts::new(QUOTAS),
            begin: Instant::now(),
            now: Duration::ZERO,
            tasks: Vec::new(),
            paid: Vec::new(),
        }
    }

    fn used(&self, account: u64) -> (u64, u64) {
        let own = || self.tasks.iter().filter(|task| task.account == account);
        let bytes: usize = own().flat_map(|task| task.bytes).sum();
        (own().filter(|task| task.is_live).count() as u64, bytes as u64)
    }

    /// From each start on, there were no more than the bucket holds and what has flowed into it since.
    fn has_starts(&self, account: u64, starts: u64) -> bool {
        let own = || self.paid.iter().filter(|(of, ..)| *of == account);
        let since = |begin: Duration| own().filter(|(_, at, _)| *at >= begin).map(|(.., starts)| starts).sum::<u64>();
        own().all(|(_, at, _)| {
            let sum = u128::from(since(*at) + starts) * 1_000_000_000;
            sum <= 8 * 1_000_000_000 + self.now.abs_diff(*at).as_nanos() * 3
        })
    }

    fn expected(&self, account: u64, tasks: usize, bytes: usize) -> Result<(), &'static str> {
        let ((live, on_hand), tasks) = (self.used(account), tasks.max(1) as u64);
        match () {
            () if live + tasks > 6 => Err("liveTasks"),
            () if on_hand + bytes as u64 > 100 => Err("bytesOnHand"),
            () if tasks > 8 => Err("startsAtOnce"),
            () if !self.has_starts(account, tasks) => Err("startsPerSecond"),
            () => Ok(()),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.begin + self.now;
        match step {
            Step::Start { account, tasks, bytes } => {
                let bill = Bill::of_tasks(Account(account), tasks, tasks * bytes);
                let allowed = self.accounts.check(bill, now);
                let expected = self.expected(account, tasks, tasks * bytes);
                prop_assert_eq!(allowed.as_ref().map_err(name), expected.as_ref().map_err(|name| *name).map(|()| &()));
                if allowed.is_ok() {
                    let paid = self.accounts.pay(bill, now);
                    self.paid.push((account, self.now, tasks.max(1) as u64));
                    let task = |charge, is_live, input| Task { account, is_live, bytes: [input, 0, 0], charge };
                    self.tasks.push(task(paid.batch(tasks, 0), tasks == 0, 0));
                    self.tasks.extend((0..tasks).map(|_| task(paid.task(bytes), true, bytes)));
                }
            }
            Step::Join { account } => {
                let bill = Bill::of_tasks(Account(account), 5, 50).joining();
                let allowed = self.accounts.check(bill, now).is_ok();
                prop_assert_eq!(allowed, self.has_starts(account, 1));
                if allowed {
                    self.accounts.pay(bill, now);
                    self.paid.push((account, self.now, 1));
                }
            }
            Step::Wait { nanos } => self.now += Duration::from_nanos(nanos),
            _ if self.tasks.is_empty() => {}
            Step::End { task, outcome } => {
                let task = task.get_mut(&mut self.tasks);
                task.charge.change(task.bytes[2], 0);
                task.charge.end(outcome);
                (task.is_live, task.bytes[2]) = (false, outcome);
            }
            Step::Items { task, bytes } => {
                let task = task.get_mut(&mut self.tasks);
                task.charge.change(task.bytes[1], bytes);
                task.bytes[1] = bytes;
            }
            Step::Leave { task } => {
                let Task { charge, .. } = self.tasks.swap_remove(task.index(self.tasks.len()));
                charge.close();
                // What comes late doesn't count.
                charge.change(0, 1_000);
                charge.end(1_000);
                charge.close();
            }
        }
        for account in 0..3 {
            prop_assert_eq!(self.accounts.used(Account(account)), self.used(account));
        }
        Ok(())
    }
}

fn join(account: u64) -> Bill {
    Bill::of_join(Account(account))
}

fn name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::QuotaExceeded { quota, .. } => quota,
        _ => "another",
    }
}

proptest! {
    #[test]
    fn an_account_has_used_what_its_tasks_take_and_nothing_when_they_have_left(
        steps in prop::collection::vec(steps(), 1..120),
    ) {
        let mut model = Model::new();
        for step in steps {
            model.take(step)?;
        }
        for task in model.tasks.drain(..) {
            task.charge.close();
        }
        for account in 0..3 {
            prop_assert_eq!(model.accounts.used(Account(account)), (0, 0));
        }
        // The buckets fill within three seconds. Then the next account finds the others gone.
        let later = model.begin + model.now + Duration::from_secs(3);
        model.accounts.pay(join(9), later);
        prop_assert_eq!(model.accounts.len(), 1);
    }
}

#[test]
fn an_account_stays_while_a_task_or_a_missing_start_is_left_of_it() {
    let (mut accounts, begin) = (Accounts::new(QUOTAS), Instant::now());
    let at = |seconds| begin + Duration::from_secs(seconds);
    let task = accounts.pay(Bill::of_tasks(Account(0), 1, 4), begin).task(4);
    accounts.pay(join(1), begin);
    accounts.pay(join(2), begin);
    assert_eq!(accounts.len(), 3, "their starts have not come back");
    accounts.pay(join(3), at(9));
    assert_eq!((accounts.len(), accounts.used(Account(0))), (2, (1, 4)));
    task.end(0);
    task.close();
    accounts.pay(join(4), at(18));
    assert_eq!(accounts.len(), 1);
}

#[test]
fn each_quota_is_told_with_its_name_its_limit_and_what_to_do() {
    let (mut accounts, now) = (Accounts::new(QUOTAS), Instant::now());
    let refused = |result: Result<(), Refusal>| {
        let error = crate::Error::from(result.unwrap_err());
        assert_eq!(error.kind, ErrorKind::QuotaExceeded);
        error.message
    };
    let check = |accounts: &Accounts, bill| refused(accounts.check(bill, now));
    let tasks = |tasks, bytes| Bill::of_tasks(Account(0), tasks, bytes);
    assert!(QUOTAS.check_call(40).is_ok());
    for (message, [quota, remedy]) in [
        (refused(QUOTAS.check_call(41)), [r#""bytesPerCall" of 40 "#, "send less"]),
        (check(&accounts, tasks(7, 0)), [r#""liveTasks" of 6 "#, "wait until"]),
        (check(&accounts, tasks(1, 101)), [r#""bytesOnHand" of 100 "#, "read the items"]),
    ] {
        assert!(message.contains(quota) && message.contains(remedy), "{message}");
    }
    for _ in 0..8 {
        accounts.pay(join(0), now);
    }
    let message = check(&accounts, join(0));
    assert!(message.contains(r#""startsPerSecond" of 3 "#) && message.contains("in a moment"), "{message}");
    let large = Accounts::new(Quotas { live_tasks: None, ..QUOTAS });
    let message = check(&large, tasks(9, 0));
    assert!(message.contains(r#""startsAtOnce" of 8 "#) && message.contains("split the batch"), "{message}");
}

#[test]
fn what_has_no_limit_is_never_refused() {
    let none = Quotas {
        live_tasks: None,
        starts_per_second: None,
        starts_at_once: None,
        bytes_on_hand: None,
        bytes_per_call: None,
    };
    let (most, now) = (Bill::of_tasks(Account(0), usize::MAX, usize::MAX), Instant::now());
    for quotas in [none, Quotas { starts_at_once: Some(1), ..none }, Quotas { starts_per_second: Some(1), ..none }] {
        let mut accounts = Accounts::new(quotas);
        for _ in 0..3 {
            assert!(accounts.check(most, now).is_ok() && quotas.check_call(usize::MAX).is_ok());
            accounts.pay(most, now);
        }
    }
}
