use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::lock::{HANDLERS_RUNTIME, Lock};

/// The runtime that handlers run on. Tauri runs every async command on its own runtime, where a handler that never
/// reaches an `.await` would hold up the whole app.
pub(crate) struct HandlersRuntime {
    handle: Handle,
    /// `None` if it is the app's, and once it was shut down.
    own: Lock<Option<Runtime>, HANDLERS_RUNTIME>,
}

impl HandlersRuntime {
    /// Takes the runtime of the app, or makes one with as many threads as there are cores. Fails if its threads can't be
    /// started, or if the one of the app has none: it would run a handler only while the app blocks a thread on it.
    pub(crate) fn new(of_app: Option<Handle>) -> Result<Self, String> {
        if let Some(handle) = of_app {
            if handle.runtime_flavor() == RuntimeFlavor::CurrentThread {
                return Err(
                    "Builder::runtime was given a current-thread runtime, which has no threads to run handlers on: \
                            make it with tokio::runtime::Builder::new_multi_thread"
                        .into(),
                );
            }
            return Ok(Self { handle, own: Lock::default() });
        }
        let own = Builder::new_multi_thread().thread_name("tasks-handler").enable_all().build().map_err(|error| {
            format!("the runtime for handlers can't be started: {error}; Builder::runtime takes another one")
        })?;
        Ok(Self { handle: own.handle().clone(), own: Lock::new(Some(own)) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Drops what still runs on it, each handler at its next `.await`. Doesn't wait for that. Does nothing to a runtime of
    /// the app.
    pub(crate) fn shut_down(&self) {
        let own = self.own.lock().take();
        if let Some(own) = own {
            // Unlike a drop, this is allowed in async code.
            own.shutdown_background();
        }
    }
}

impl Drop for HandlersRuntime {
    fn drop(&mut self) {
        self.shut_down();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn its_threads_are_as_many_as_there_are_cores_and_have_a_name() {
        let runtime = HandlersRuntime::new(None).unwrap();
        assert_eq!(runtime.handle().metrics().num_workers(), thread::available_parallelism().unwrap().get());
        let on_thread = runtime.handle().spawn(async { thread::current().name().map(str::to_owned) });
        let name = tauri::async_runtime::block_on(on_thread).unwrap();
        assert_eq!(name.as_deref(), Some("tasks-handler"));
    }

    #[tokio::test]
    async fn it_can_be_dropped_in_async_code_while_something_runs_on_it() {
        let runtime = HandlersRuntime::new(None).unwrap();
        let left = runtime.handle().spawn(std::future::pending::<()>());
        drop(runtime);
        assert!(left.await.unwrap_err().is_cancelled());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_runtime_of_the_app_is_left_alone() {
        let runtime = HandlersRuntime::new(Some(Handle::current())).unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        runtime.handle().spawn(async { tell.send(7) });
        runtime.shut_down();
        drop(runtime);
        assert_eq!(told.await, Ok(7));
    }
}
