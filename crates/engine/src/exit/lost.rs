//! What an exit waits for, and what it would cut short.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    changes::filter::TaskFilter,
    policy::on_exit::OnExit,
    record::Record,
    run::engine::Engine,
    task::{cancel_reason::CancelReason, status::TaskStatus},
};

/// How soon [`finish`] notices that a task can't run any more: an app may lower a limit meanwhile, and a service or
/// a task with [`OnExit::Drop`] may take a slot.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Returns whether an exit waits for this task.
pub(crate) fn is_awaited(record: &Record) -> bool {
    let is_left_alone = record.kind.policy.on_exit == OnExit::Drop && is_at_work(record);
    !record.status().is_final() && !is_left_alone
}

/// Returns whether an exit lets this task finish.
pub(super) fn may_finish(record: &Record) -> bool {
    record.kind.policy.on_exit == OnExit::Finish && is_at_work(record)
}

/// Returns whether an exit would cut off work of this task that was meant to finish.
fn would_be_cut_short(record: &Record) -> bool {
    let policy = &record.kind.policy;
    !record.status().is_final() && policy.on_exit != OnExit::Drop && policy.restart.is_none()
}

fn is_at_work(record: &Record) -> bool {
    matches!(record.status(), TaskStatus::Running | TaskStatus::Cancelling)
}

/// Returns the tasks that have not ended, oldest first.
pub(super) fn live(engine: &Engine) -> Vec<Arc<Record>> {
    let mut live = engine.records(&TaskFilter::default());
    live.retain(|record| !record.status().is_final());
    live
}

/// Returns the tasks that an exit now would cut short, oldest first.
pub(crate) fn would_be_lost(engine: &Engine) -> Vec<Arc<Record>> {
    let mut lost = live(engine);
    lost.retain(|record| would_be_cut_short(record));
    lost
}

/// Returns whether an exit has nothing to wait for.
pub(crate) fn is_idle(engine: &Engine) -> bool {
    let registry = engine.transitions.registry.lock();
    !registry.all().any(|record| is_awaited(record))
}

/// Waits until every task that an exit would cut short has ended, however long that takes. From now on new starts are
/// refused. Tasks that the end of no other task lets run are cancelled, now or when that comes about: those that are held
/// or delayed, and those with a limit that is 0 or taken up by services or by running tasks with [`OnExit::Drop`], which
/// the exit doesn't wait for.
pub(crate) async fn finish(engine: &Engine) {
    let transitions = &engine.transitions;
    let left = transitions.close();
    let all_ended = async {
        for record in left.iter().filter(|record| would_be_cut_short(record)) {
            record.closed().await;
        }
    };
    let keep_looking = async {
        loop {
            transitions.stop_all(transitions.stuck(&left), CancelReason::Shutdown);
            sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        biased;
        () = keep_looking => {}
        () = all_ended => {}
    }
}
