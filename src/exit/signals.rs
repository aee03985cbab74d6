//! SIGINT and SIGTERM, which Tauri tells nothing of.

use std::{future::Future, sync::Arc, thread, time::Duration};

use tauri::{AppHandle, Runtime};

use super::core::Core;

/// How long a main thread that doesn't answer may hold the second signal up.
const LAST_RESORT: Duration = Duration::from_secs(1);

/// Turns the first signal into an exit, and the second one into one at once.
pub(super) fn listen<R: Runtime>(app: &AppHandle<R>, core: &Arc<Core>) {
    let (app, core) = (app.clone(), Arc::clone(core));
    core.tasks.runtime().clone().spawn(async move {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!("signals can't be handled, so they end the app at once: {error}");
                return;
            }
        };
        let code = signals.next().await;
        core.is_unattended();
        app.exit(code);
        let code = signals.next().await;
        core.let_go();
        app.exit(code);
        thread::spawn(move || {
            thread::sleep(LAST_RESORT);
            std::process::exit(code);
        });
    });
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal number n; answers 128 + n, as a shell does.
    fn next(&mut self) -> impl Future<Output = i32> {
        use tokio::signal::unix::SignalKind;
        async {
            let kind = tokio::select! {
                _ = self.interrupt.recv() => SignalKind::interrupt(),
                _ = self.terminate.recv() => SignalKind::terminate(),
            };
            128 + kind.as_raw_value()
        }
    }
}

/// Ctrl+C in the console counts as SIGINT.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps)]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    fn next(&mut self) -> impl Future<Output = i32> {
        async {
            match tokio::signal::ctrl_c().await {
                Ok(()) => 130,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
