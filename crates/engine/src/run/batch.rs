//! A batch: one task whose members are ordinary tasks, with one progress and one list of outcomes for all of them.
//!
//! A batch is supervised like any task, but takes no slot: its members do. It ends after its last member.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    batch_sum::BatchSum,
    handler::{Errors, erase},
};
use crate::{
    changes::change_set::ChangeSet,
    context::TaskContext,
    items::item_type::Never,
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
    let mut sum = BatchSum::new(batch.kind.policy.batch_progress, members.len());
    let mut outcomes: Vec<_> = members.iter().map(|_| None).collect();
    let mut left = members.len();
    let mut next_sum = Instant::now();
    // At first all of them: they may have changed before they were watched.
    let mut changed: Vec<_> = members.iter().map(|member| Arc::clone(member.record())).collect();
    loop {
        for record in changed {
            let Some(&place) = places.get(&record.id) else { continue };
            let share = record.share();
            sum.update(place, &share);
            if share.outcome.is_some() && outcomes[place].is_none() {
                members[place].knows_the_end();
                outcomes[place] = share.outcome;
                left -= 1;
            }
        }
        let is_stale = left > 0 && Instant::now() < next_sum;
        if !is_stale {
            let due = attempt.progress.set_sum(sum.sum(), Instant::now());
            batch.tell_if(attempt, due, 0);
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
    let mut news = Vec::new();
    loop {
        let newest = watcher.take();
        let any_has_ended = newest.iter().any(|record| record.status().is_final());
        news.extend(newest);
        if any_has_ended {
            return news;
        }
        tokio::select! {
            () = sleep_until(next_sum) => return news,
            () = watcher.changed() => {}
        }
    }
}
