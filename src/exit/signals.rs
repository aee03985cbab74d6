//! SIGINT and SIGTERM, which Tauri tells nothing of.

use std::{
    future::Future,
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Runtime};

use super::{
    core::{Core, block_on},
    phase::AGAIN,
};

/// How long a main thread that doesn't answer may hold the second signal up.
const LAST_RESORT: Duration = Duration::from_secs(1);

/// Makes an exit of each signal.
pub(super) fn listen<R: Runtime>(app: &AppHandle<R>, core: &Arc<Core>) {
    let (app, core) = (app.clone(), Arc::clone(core));
    thread::spawn(move || {
        if let Some(Err(error)) = block_on(exit_by_signal(&app, &core)) {
            tracing::error!("signals can't be handled, so they end the app at once: {error}");
        }
    });
}

async fn exit_by_signal<R: Runtime>(app: &AppHandle<R>, core: &Core) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let mut first: Option<Instant> = None;
    loop {
        let exit_code = signals.next().await;
        // A terminal and a parent process may both send what is meant once.
        if first.is_some_and(|first| first.elapsed() < AGAIN) {
            continue;
        }
        core.is_unattended();
        // The main thread may wait already: then this is the second request, whatever the first was.
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
    fn new() -> io::Result<Self> {
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
