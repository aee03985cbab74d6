//! A batch: one task whose members are ordinary tasks, with one progress and one list of outcomes for all of them.
//!
//! A batch is supervised like any task, but takes no slot: its members do. It ends after its last member.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::handler::{Errors, erase};
use crate::{
    changes::change_set::ChangeSet,
    context::TaskContext,
    items::item_type::Never,
    progress::{Progress, Unit, sum::Sum},
    record::{Record, Work, follower::Follower},
    task::{attempt::Attempt, outcome::Outcome},
};

/// The shortest time between two updates of the progress: one frame at 60 frames a second.
const FRAME: Duration = Duration::from_millis(16);

/// Returns the work of a batch, which watches its members until all have ended and outputs their outcomes in order.
pub(crate) fn work(name: &Arc<str>, members: Vec<Follower>) -> Work {
    Work::new(name, move |record: &Arc<Record>, attempt: &Arc<Attempt>| {
        let (batch, stops) = (Arc::clone(record), Arc::clone(attempt));
        let run = |_: TaskContext<(), Never>| async move { Ok::<_, Never>(watch(&batch, &stops, &members).await) };
        erase(record, attempt, Errors::default(), run)
    })
}

async fn watch(batch: &Arc<Record>, attempt: &Attempt, members: &[Follower]) -> Vec<Outcome> {
    let watcher = Arc::<ChangeSet<Record>>::default();
    for member in members {
        member.record().add_watcher(&watcher);
    }
    let places: HashMap<_, _> = members.iter().enumerate().map(|(place, member)| (member.record().id, place)).collect();
    let mut shares: Vec<_> = members.iter().map(|_| Share::default()).collect();
    let mut outcomes: Vec<_> = members.iter().map(|_| None).collect();
    let mut left = members.len();
    let mut next_sum = Instant::now();
    // At first all of them: they may have changed before they were watched.
    let mut changed: Vec<_> = members.iter().map(|member| Arc::clone(member.record())).collect();
    loop {
        for record in changed {
            let Some(&place) = places.get(&record.id) else { continue };
            let outcome = record.outcome();
            shares[place] = Share::new(&record.progress(), outcome.is_some());
            if outcome.is_some() && outcomes[place].is_none() {
                members[place].knows_the_end();
                outcomes[place] = outcome;
                left -= 1;
            }
        }
        let is_stale = left > 0 && Instant::now() < next_sum;
        if !is_stale {
            batch.set_sum(sum_of(&shares));
            next_sum = Instant::now() + FRAME;
        }
        if left == 0 {
            if attempt.is_stopped() {
                // The supervisor drops this. The batch ends as cancelled, even if its members have ended first.
                std::future::pending::<()>().await;
            }
            return outcomes.into_iter().flatten().collect();
        }
        // Members that change all the time must not starve the other tasks of tokio.
        tokio::task::consume_budget().await;
        changed = news(&watcher, next_sum, is_stale).await;
    }
}

/// Waits until members change, and returns them. It returns as soon as one has ended, so that the batch ends with its
/// last member. Otherwise it returns at `next_sum` at the earliest, and at that time even without a change if the
/// progress `is_stale`.
async fn news(watcher: &ChangeSet<Record>, next_sum: Instant, is_stale: bool) -> Vec<Arc<Record>> {
    tokio::select! {
        () = sleep_until(next_sum), if is_stale => return watcher.take(),
        () = watcher.changed() => {}
    }
    let mut news = watcher.take();
    while !news.iter().any(|record| record.status().is_final()) {
        tokio::select! {
            () = sleep_until(next_sum) => break,
            () = watcher.changed() => news.extend(watcher.take()),
        }
    }
    news
}

/// What one member adds to the progress of its batch.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    completed: u64,
    total: Option<u64>,
    fraction: f64,
    unit: Unit,
}

impl Share {
    fn new(progress: &Progress, ended: bool) -> Self {
        let Progress { completed, total, fraction, unit, .. } = *progress;
        // A member that has ended has nothing more to do, even if it did not reach its total.
        let total = if ended { Some(total.unwrap_or(completed)) } else { total };
        Self { completed, total, fraction: if ended { 1.0 } else { fraction.unwrap_or(0.0) }, unit }
    }
}

/// Returns the progress of a batch from its members' shares.
#[allow(clippy::cast_precision_loss)]
fn sum_of(shares: &[Share]) -> Sum {
    // A member that has not begun, or failed before it counted anything, has no unit.
    let mut units = shares.iter().map(|share| share.unit).filter(|unit| *unit != Unit::None);
    let unit = units.next().unwrap_or_default();
    Sum {
        completed: shares.iter().fold(0, |sum, share| sum.saturating_add(share.completed)),
        total: shares.iter().try_fold(0_u64, |sum, share| Some(sum.saturating_add(share.total?))),
        fraction: match shares.len() {
            0 => 1.0,
            members => shares.iter().map(|share| share.fraction).sum::<f64>() / members as f64,
        },
        unit: if units.all(|other| other == unit) { unit } else { Unit::None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(completed: u64, total: Option<u64>, fraction: f64) -> Share {
        Share { completed, total, fraction, unit: Unit::Bytes }
    }

    #[test]
    fn the_progress_of_a_batch_is_the_sum_and_its_fraction_the_mean() {
        let sum = sum_of(&[share(50, Some(100), 0.5), share(900, Some(900), 1.0)]);
        assert_eq!(sum, Sum { completed: 950, total: Some(1_000), fraction: 0.75, unit: Unit::Bytes });
        let sum = sum_of(&[share(50, Some(100), 0.5), share(0, None, 0.0)]);
        assert_eq!((sum.total, sum.fraction), (None, 0.25), "no total before all are known");
        let waits = Share::default();
        assert_eq!(sum_of(&[waits, share(50, Some(100), 0.5)]).unit, Unit::Bytes, "a waiting member has no unit");
        assert_eq!(sum_of(&[Share { unit: Unit::Files, ..waits }, share(1, None, 0.0)]).unit, Unit::None);
    }

    #[test]
    fn an_empty_batch_is_complete() {
        assert_eq!(sum_of(&[]), Sum { completed: 0, total: Some(0), fraction: 1.0, unit: Unit::None });
    }
}
