use super::Error;

/// Whether new tasks may come in. It stands under the registry's lock: who closes it knows of every task that came before.
#[derive(Debug, Default)]
pub(super) struct Gate {
    guards: usize,
    is_closed: bool,
}

impl Gate {
    /// A service would not be lost, so it may come in although somebody holds off new starts.
    pub(super) fn check(&self, task: &str, is_service: bool) -> Result<(), Error> {
        if self.is_closed {
            return Err(Error::shutting_down(task));
        }
        if self.guards > 0 && !is_service { Err(Error::guarded(task)) } else { Ok(()) }
    }

    /// From now on nothing comes in.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.guards > 0 && !self.is_closed
    }

    /// Nothing comes in until as many guards have gone as have come.
    pub(super) fn guard(&mut self) {
        self.guards += 1;
    }

    pub(super) fn unguard(&mut self) {
        self.guards -= 1;
    }
}
