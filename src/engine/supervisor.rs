//! Lives one task's life, from the queue to its end.
//!
//! The order at the end is what promises hang on: first the handler is over (returned, panicked or
//! dropped), then its blocking work is told to stop and waited for, and only then the task ends. So an
//! ended task has nothing running any more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::sleep;

use super::{TaskFailure, kind::Attempt, life::Ending, record::Record};

/// A handler that is dropped just when its grace period ends is not called overdue.
const OVERDUE_SLACK: Duration = Duration::from_millis(100);

pub(super) async fn supervise(record: Arc<Record>, attempt: Attempt) {
    if !record.begin() {
        return;
    }
    let ending = run(&record, attempt).await;
    record.blocking_token.cancel();
    record.blocking.close();
    record.blocking.wait().await;
    record.end(ending);
}

/// Marks the task as overdue if it outstays its grace period. Runs beside the supervisor, since a handler
/// that never yields holds that one up.
pub(super) async fn watch_grace(record: Arc<Record>) {
    sleep(record.kind.policy.grace.saturating_add(OVERDUE_SLACK)).await;
    record.outstay();
}

async fn run(record: &Arc<Record>, attempt: Attempt) -> Ending {
    // The call itself is inside too: a handler may panic before its first await.
    let handler = AssertUnwindSafe(async { attempt(record).await }).catch_unwind();
    let mut handler = Box::pin(handler);
    let ending = tokio::select! {
        biased;
        () = time_to_drop(record) => Ending::Dropped,
        result = &mut handler => match result {
            Ok(Ok(output)) => Ending::Output(output),
            Ok(Err(failure)) => Ending::Failure(failure),
            Err(panic) => Ending::Failure(TaskFailure::panic(record.name(), panic)),
        },
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(handler))) {
        let failure = TaskFailure::panic(record.name(), panic);
        tracing::error!(task = record.name(), id = %record.id, "{} (while it was dropped)", failure.message);
    }
    ending
}

async fn time_to_drop(record: &Record) {
    record.token.cancelled().await;
    if record.is_cooperative() {
        sleep(record.kind.policy.grace).await;
    }
}
