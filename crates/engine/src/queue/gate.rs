use crate::error::{Error, refusal::Refusal};

/// Whether new tasks may come in. It stands under the registry's lock: who closes it knows of every task that came before.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    guards: usize,
    is_closed: bool,
}

impl Gate {
    /// A service would not be lost, so it may come in although somebody holds off new starts.
    pub(crate) fn check(&self, task: &str, is_service: bool) -> Result<(), Error> {
        if self.is_closed {
            return Err(Refusal::ShuttingDown { task: task.to_owned() }.into());
        }
        if self.guards > 0 && !is_service {
            return Err(Refusal::Guarded { task: task.to_owned() }.into());
        }
        Ok(())
    }

    /// From now on nothing comes in.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.guards > 0 && !self.is_closed
    }

    /// Nothing comes in until as many guards have gone as have come.
    pub(crate) fn guard(&mut self) {
        self.guards += 1;
    }

    pub(crate) fn unguard(&mut self) {
        self.guards -= 1;
    }
}
