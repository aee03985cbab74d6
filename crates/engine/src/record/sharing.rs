//! The steps by which calls get shares in a task and give them back.

use std::sync::Arc;

use super::{
    Record,
    shares::{Departure, Gone, Joiner, Left},
    steps::Stopped,
};
use crate::{
    CancelReason, Error, TaskId,
    task::{life::Stop, owner::Owner, status::TaskStatus},
};

/// What has become of a call that had joined a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Joined {
    /// Whether the watchers are to be notified, since somebody may be told now who wasn't before.
    pub(crate) is_change: bool,
}

impl Record {
    /// Returns whether `who` may be told of the task: its owner and all who have a share in it may.
    pub fn tells(&self, who: &Owner) -> bool {
        self.state.lock().shares.tells(who)
    }

    /// Returns all who may be told of the task: its owner and all who have a share in it, some of them twice.
    pub fn all_told(&self) -> Vec<Owner> {
        self.state.lock().shares.all_told().cloned().collect()
    }

    /// Returns whether any of those whom `which` names may be told of the task.
    pub(crate) fn tells_any(&self, which: impl Fn(&Owner) -> bool) -> bool {
        self.state.lock().shares.tells_any(which)
    }

    /// Returns the calls that have joined the task and still have a share.
    pub(crate) fn calls(&self) -> Vec<TaskId> {
        self.state.lock().shares.calls().collect()
    }

    /// Whether it has not ended, and is not about to.
    pub(crate) fn lasts(&self) -> bool {
        lasts(self.status())
    }

    /// Gives a call a share, unless the task is about to stop or has ended: then returns `None`. It may be called under a
    /// lock, so notify the watchers afterwards.
    pub(crate) fn join(&self, joiner: Joiner<'_>) -> Result<Option<Joined>, Error> {
        let mut state = self.state.lock();
        if !lasts(state.life.status()) {
            return Ok(None);
        }
        Ok(Some(Joined { is_change: state.shares.add(joiner)? }))
    }

    /// Does what [`join`](Self::join) does, whatever the task's status is.
    pub(crate) fn add_share(&self, joiner: Joiner<'_>) -> Result<Joined, Error> {
        Ok(Joined { is_change: self.state.lock().shares.add(joiner)? })
    }

    /// Gives back the share of a call; `None` is the call that started the task. If that was the last share, tells the task to
    /// stop. Returns what came of that, if it had not ended.
    pub(crate) fn leave(self: &Arc<Self>, holder: &Owner, call: Option<TaskId>) -> Option<Stopped> {
        self.step(|state, effects| {
            match state.shares.give_back(holder, call) {
                Left::Same => return None,
                Left::Others => {}
                // In one step: nobody joins it in between.
                Left::Last => {
                    if let Ok(stopped) = self.stop_in(state, effects, Stop::Cancel(CancelReason::Signal)) {
                        return Some(stopped);
                    }
                }
            }
            self.mark(state, effects);
            None
        })
    }

    /// Gives back the shares of all that `are_gone`. If nobody is left and its kind says so, tells the task to stop. Returns
    /// what came of that, if it had not ended, and the calls whose shares are gone.
    pub(crate) fn depart(
        self: &Arc<Self>,
        are_gone: impl Fn(&Owner) -> bool,
        gone: Gone,
    ) -> (Option<Stopped>, Vec<TaskId>) {
        self.step(|state, effects| {
            let policy = self.kind.policy.on_owner_closed;
            let owner = state.shares.owner().clone();
            let Departure { is_change, cancels, calls } = state.shares.depart(are_gone, gone, policy);
            if is_change {
                self.mark(state, effects);
            }
            if *state.shares.owner() != owner {
                self.leave_account();
            }
            let why = Stop::Cancel(CancelReason::OwnerClosed);
            let stopped = cancels.then(|| self.stop_in(state, effects, why).ok()).flatten();
            (stopped, calls)
        })
    }
}

fn lasts(status: TaskStatus) -> bool {
    !status.is_final() && status != TaskStatus::Cancelling
}
