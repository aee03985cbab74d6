//! Runs one attempt of a task, from when the task gets a slot until it leaves the slot.
//!
//! Invariants:
//! - An attempt ends in this order. First the handler is over: it has returned, panicked or been dropped. Then its
//!   blocking work, or the members of its batch, are told to stop and waited for. Then the clean-up runs. Only then is
//!   the attempt over. So nothing of the handler runs during its clean-up, and nothing of a task runs after its end.
//! - A handler is dropped only if it was told to stop, or if the attempt has failed because of an item that can't be
//!   delivered. If it was told to stop, that is at the end of its grace period, or as soon as it returns `Pending` while
//!   an emit in its own future has given up. Such an emit doesn't return before the handler is over, except to a handler
//!   that blocks its thread on it.
//! - A handler is polled only while it has its slots, while it awaits tasks that it has started, or in its grace period:
//!   see [`slots`](super::slots).
//! - An attempt that has failed because of an item fails, whatever its handler returns. That is settled at the moment
//!   when the handler is over: leftovers of the handler can't fail it any more.

use std::{future::poll_fn, panic::AssertUnwindSafe, pin::pin, sync::Arc, task::Poll, time::Duration};

use futures_util::FutureExt;
use tracing::{Instrument, Span};

use super::{clocks, runtime_end::Supervision, slots::Slots, transitions::Transitions};
use crate::{
    logged::logged,
    record::{Record, Work, steps::Next},
    task::{
        attempt::Attempt,
        current::{Current, Entry},
        id::TaskId,
        life::{Ending, Problem},
        outcome::TaskFailure,
        quiet::drop_quietly,
        status::TaskStatus,
    },
};

/// Launches a task that was given a slot. Until a thread is free to begin it, it stays queued.
pub(crate) fn launch(transitions: &Arc<Transitions>, id: TaskId) {
    transitions.runtimes.work.spawn(supervise(Supervision::new(transitions, id)));
}

/// Until a thread is free this stays in the runtime's queue, even if the task ends meanwhile. So it holds only what it
/// needs to begin.
async fn supervise(supervision: Supervision) {
    let transitions = &supervision.transitions;
    let supervised = AssertUnwindSafe(async {
        // If the task was stopped in the meantime, its end has already been dealt with.
        if let Some(record) = transitions.find(supervision.id)
            && let Some((attempt, work)) = record.begin()
        {
            Box::pin(live(Arc::clone(transitions), record, attempt, work)).await;
        }
    });
    let supervised = supervised.catch_unwind().await;
    supervision.finish(supervised);
}

/// Runs an attempt that has begun, up to the end of the task or until it is queued for the next attempt.
pub(crate) async fn live(
    transitions: Arc<Transitions>,
    record: Arc<Record>,
    attempt: Arc<Attempt>,
    work: Option<Work>,
) {
    let clocks = clocks::start_of_attempt(&transitions, &record, &attempt);
    if clocks.is_some() {
        // If the clocks have no runtime of their own, the one spawned last is in this worker's LIFO slot, from which no
        // other worker can steal it. This empty task takes that slot and wakes another worker, which can then steal the
        // clocks. Otherwise a handler that never yields would block its own clocks, and all timers while the other
        // workers sleep: https://github.com/tokio-rs/tokio/issues/4730
        tokio::spawn(async {});
    }
    let span = attempt_span(&record, &attempt);
    let mut ended = run(&transitions, &record, &attempt, work).instrument(span.clone()).await;
    drop(clocks);
    span.record("status", status_of(&ended).name());
    let mut is_clean = false;
    let next = loop {
        match record.end_attempt(ended, is_clean, || transitions.may_go_on()) {
            Next::CleanUp(again) => {
                clean_up(&transitions, &record, &attempt).instrument(span.clone()).await;
                // The clean-up may have begun work on another thread.
                attempt.over().await;
                (ended, is_clean) = (again, true);
            }
            next => break next,
        }
    };
    attempt.forget_cleanups();
    drop(span);
    match next {
        Next::RetryAfter(Duration::ZERO) => {
            transitions.let_others_run();
            transitions.come_back(&record);
        }
        Next::RetryAfter(delay) => {
            let due = transitions.timers().elapsed().saturating_add(delay);
            let back = clocks::come_back_at(Arc::clone(&transitions), record, due);
            transitions.runtimes.control.spawn(back);
            transitions.let_others_run();
        }
        Next::Over | Next::CleanUp(_) => transitions.over(&record),
    }
}

async fn run(
    transitions: &Arc<Transitions>,
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
    work: Option<Work>,
) -> Result<Ending, Problem> {
    let ended = match work.map_or_else(|| record.kind.prepare(&record.input), Ok) {
        Ok(work) => run_handler(transitions, record, attempt, work).await,
        Err(error) => Err(TaskFailure::of_value(&error).into()),
    };
    let failure = record.handler_is_over(attempt);
    attempt.over().await;
    failure.map_or(ended, |failure| Err(failure.into()))
}

fn status_of(ended: &Result<Ending, Problem>) -> TaskStatus {
    match ended {
        Ok(Ending::Output(_)) => TaskStatus::Completed,
        Ok(Ending::Dropped) => TaskStatus::Cancelled,
        Ok(Ending::Failure(_)) | Err(_) => TaskStatus::Failed,
    }
}

fn attempt_span(record: &Record, attempt: &Attempt) -> Span {
    tracing::debug_span!(
        parent: record.span().and_then(|span| span.id()),
        "attempt",
        kind = logged(record.name()),
        id = %record.id,
        attempt = attempt.number,
        status = TaskStatus::Running.name(),
    )
}

async fn run_handler(
    transitions: &Arc<Transitions>,
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
    work: Work,
) -> Result<Ending, Problem> {
    // The call is inside, because a handler may panic before it returns its future.
    let handler = AssertUnwindSafe(async { work.start(record, attempt).await }).catch_unwind();
    let mut handler = Box::pin(handler);
    let mut waits = false;
    let mut slots = Slots::new(transitions, record, attempt);
    let mut current = Entry::new(Current { id: record.id, polled: Some(Arc::clone(attempt)) });
    // `None` if the handler has given up.
    let watched = poll_fn(|context| {
        let polled = slots.poll(context, |context| {
            attempt.begin_poll();
            transitions.polling(record.id, || current.enter(|| handler.as_mut().poll(context))).map(Some)
        });
        if polled.is_pending() && attempt.has_given_up() {
            return Poll::Ready(None);
        }
        if polled.is_pending() && !std::mem::replace(&mut waits, true) {
            record.attempt_waits(attempt);
        }
        polled
    });
    let ended = tokio::select! {
        biased;
        () = attempt.time_to_drop() => Ok(Ending::Dropped),
        () = attempt.failed() => Ok(Ending::Dropped),
        result = watched => match result {
            Some(Ok(Ok(output))) => Ok(Ending::Output(output)),
            Some(Ok(Err(problem))) => Err(problem),
            Some(Err(panic)) => Err(TaskFailure::panic(record.name(), panic).into()),
            None => Ok(Ending::Dropped),
        },
    };
    transitions.polling(record.id, || drop_quietly(handler, record.name(), Some(record.id)));
    ended
}

async fn clean_up(transitions: &Arc<Transitions>, record: &Record, attempt: &Attempt) {
    let timers = Arc::clone(&transitions.common.timers);
    let too_long = |left| transitions.runtimes.wait(async move { timers.sleep_awake(left).await });
    let mut cleaned = pin!(attempt.clean_up(too_long));
    poll_fn(|context| transitions.polling(record.id, || cleaned.as_mut().poll(context))).await;
}
