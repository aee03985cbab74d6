//! The thread on which all handlers run. While it is shut, no handler does anything, so that nothing happens by itself between two
//! steps of a scenario.

use std::sync::mpsc;

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

pub struct Handlers {
    /// Taken when this is dropped: a runtime can't be dropped where it would wait.
    runtime: Option<Runtime>,
    /// What the thread waits for while it is shut.
    gate: Option<mpsc::Sender<()>>,
}

impl Handlers {
    pub fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime: Some(runtime), gate: None }
    }

    pub fn runtime(&self) -> &Handle {
        self.runtime.as_ref().unwrap().handle()
    }

    /// Holds the thread once it has done what it has to do now.
    pub async fn shut(&mut self) {
        if self.gate.is_some() {
            return;
        }
        let (gate, is_open) = mpsc::channel();
        let (shuts, is_shut) = oneshot::channel();
        self.runtime().spawn(async move {
            let _ = shuts.send(());
            // Blocks the thread on purpose.
            let _ = is_open.recv();
        });
        is_shut.await.unwrap();
        self.gate = Some(gate);
    }

    pub fn open(&mut self) {
        self.gate = None;
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        self.open();
        self.runtime.take().unwrap().shutdown_background();
    }
}
