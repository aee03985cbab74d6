//! Handles SIGINT and SIGTERM, which Tauri does not report.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks_engine::delivery::logged;

use super::{core::Core, drain::own_runtime, phase::AGAIN};

/// How long an unresponsive main thread may delay the exit after the second signal.
const LAST_RESORT: Duration = Duration::from_secs(1);

/// Starts turning each signal into an exit.
pub(super) fn listen<R: Runtime>(app: &AppHandle<R>, core: &Arc<Core>) {
    let (runtime, signals) = match listening() {
        Ok(listening) => listening,
        Err(error) => {
            return tracing::error!("signals can't be handled, so they end the app at once: {}", logged(error));
        }
    };
    let (app, core) = (app.clone(), Arc::clone(core));
    thread::spawn(move || runtime.block_on(exit_by_signal(&app, &core, signals)));
}

/// Starts listening for signals. Returns them with the runtime that they need.
fn listening() -> io::Result<(tokio::runtime::Runtime, Signals)> {
    let runtime = own_runtime()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::new()
    };
    match signals {
        Ok(signals) => Ok((runtime, signals)),
        Err(error) => {
            // Dropping a runtime blocks, which is not allowed on a thread of another runtime.
            runtime.shutdown_background();
            Err(error)
        }
    }
}

async fn exit_by_signal<R: Runtime>(app: &AppHandle<R>, core: &Core, mut signals: Signals) {
    let mut first: Option<Instant> = None;
    loop {
        let exit_code = signals.next().await;
        // A terminal and a parent process may both send the signal for one request.
        if first.is_some_and(|first| first.elapsed() < AGAIN) {
            continue;
        }
        core.is_unattended();
        // If the main thread is already waiting, this signal is the second request.
        core.let_go();
        app.exit(exit_code);
        if first.replace(Instant::now()).is_some() {
            tokio::time::sleep(LAST_RESORT).await;
            std::process::exit(exit_code);
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal. Returns 128 plus its number, as a shell does.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        128 + kind.as_raw_value()
    }
}

/// Ctrl+C in the console counts as SIGINT.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) -> i32 {
        self.0.recv().await;
        130
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[test]
    fn a_signal_is_received_as_soon_as_listening_begins() {
        let (runtime, mut signals) = listening().unwrap();
        for (signal, exit_code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            kill_process(getpid(), signal).unwrap();
            assert_eq!(runtime.block_on(signals.next()), exit_code);
        }
    }
}
