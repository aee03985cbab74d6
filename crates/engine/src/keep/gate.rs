use crate::error::{Error, refusal::Refusal};

/// Whether new tasks may come in. It is under the registry's lock, so the caller that closes it knows of every earlier
/// task.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    guards: usize,
    is_closed: bool,
}

impl Gate {
    /// Fails if a task of the kind `task` may not come in. A guard lets services in, because an exit loses nothing of
    /// theirs.
    pub(crate) fn check(&self, task: &str, is_service: bool) -> Result<(), Error> {
        if self.is_closed {
            return Err(Refusal::ShuttingDown { task: task.to_owned() }.into());
        }
        if self.guards > 0 && !is_service {
            return Err(Refusal::Guarded { task: task.to_owned() }.into());
        }
        Ok(())
    }

    /// Lets nothing in from now on.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.guards > 0 && !self.is_closed
    }

    /// Adds a guard. Only services come in until [`unguard`](Self::unguard) has been called as often as this.
    pub(crate) fn guard(&mut self) {
        self.guards += 1;
    }

    pub(crate) fn unguard(&mut self) {
        self.guards -= 1;
    }
}
