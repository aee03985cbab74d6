//! Handles SIGINT and SIGTERM, which Tauri does not report.

use std::{
    io,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks_engine::delivery::{assert_holds_no_lock, logged};

use super::{core::Core, drain::own_runtime, phase::AGAIN};

/// How long an unresponsive main thread may delay the exit after the second signal.
const LAST_RESORT: Duration = Duration::from_secs(1);

/// Starts turning each signal into an exit. Returns once the signals are taken.
pub(super) fn listen<R: Runtime>(app: &AppHandle<R>, core: &Arc<Core>) {
    let (app, core) = (app.clone(), Arc::clone(core));
    let (tell, told) = sync_channel(1);
    // The thread first: a signal that is taken and that nobody waits for would be lost.
    let thread = thread::Builder::new().spawn(move || {
        let listening = listening();
        let _ = tell.send(said_of(listening.as_ref().map(|(_, signals)| signals)));
        if let Ok((runtime, signals)) = listening {
            runtime.block_on(exit_by_signal(&app, &core, signals));
        }
    });
    match thread.map(|_| told.recv()) {
        Ok(Ok(Ok(text))) => tracing::info!("{}", logged(text)),
        Ok(Ok(Err(text))) => tracing::error!("{}", logged(text)),
        // It has panicked, and the log says so.
        Ok(Err(_)) => {}
        Err(error) => tracing::error!("{}", logged(said_of::<Signal>(Err(&error)).unwrap_or_else(|text| text))),
    }
}

/// Returns what is to be logged about the signals: as an error, if one of them isn't handled.
fn said_of<S>(taken: Result<&Taken<S>, &io::Error>) -> Result<String, String> {
    match taken {
        Ok(Taken { interrupt: Ok(_), .. }) => Ok(format!("{SIGNALS} exit the app")),
        Ok(Taken { interrupt: Err(error), .. }) => {
            Err(format!("SIGTERM exits the app, but SIGINT can't be handled, so Ctrl+C ends it at once: {error}"))
        }
        Err(error) => Err(format!("{SIGNALS} can't be handled, so they end the app at once: {error}")),
    }
}

/// Starts listening for signals. Returns them with the runtime that they need.
fn listening() -> io::Result<(tokio::runtime::Runtime, Taken<Signal>)> {
    let runtime = own_runtime()?;
    let taken = {
        let _entered = runtime.enter();
        take(signal)
    };
    taken.map(|taken| (runtime, taken))
}

async fn exit_by_signal<R: Runtime>(app: &AppHandle<R>, core: &Core, mut signals: Taken<Signal>) {
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
        assert_holds_no_lock();
        app.exit(exit_code);
        if first.replace(Instant::now()).is_some() {
            tokio::time::sleep(LAST_RESORT).await;
            std::process::exit(exit_code);
        }
    }
}

/// The signals that were taken, each as an `S`. Once the process has taken a signal, it can't give it back: it would do nothing.
struct Taken<S> {
    terminate: Option<S>,
    interrupt: io::Result<S>,
}

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

#[cfg(unix)]
const SIGNALS: &str = "SIGTERM and SIGINT";

/// Takes SIGTERM and then SIGINT. Fails, and leaves SIGINT as it was, if SIGTERM can't be had: Ctrl+C is what a user has left.
#[cfg(unix)]
fn take<S>(mut signal: impl FnMut(SignalKind) -> io::Result<S>) -> io::Result<Taken<S>> {
    let terminate = signal(SignalKind::terminate())?;
    Ok(Taken { terminate: Some(terminate), interrupt: signal(SignalKind::interrupt()) })
}

#[cfg(unix)]
impl Taken<Signal> {
    /// Waits for the next signal. Returns 128 plus its number, as a shell does.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            () = arrives(self.interrupt.as_mut().ok()) => SignalKind::interrupt(),
            () = arrives(self.terminate.as_mut()) => SignalKind::terminate(),
        };
        128 + kind.as_raw_value()
    }
}

#[cfg(unix)]
async fn arrives(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(windows)]
use tokio::signal::windows::{CtrlC as Signal, ctrl_c as signal};

#[cfg(windows)]
const SIGNALS: &str = "Ctrl+C in the console";

/// Takes Ctrl+C in the console, which counts as SIGINT.
#[cfg(windows)]
fn take<S>(signal: impl FnOnce() -> io::Result<S>) -> io::Result<Taken<S>> {
    Ok(Taken { terminate: None, interrupt: Ok(signal()?) })
}

#[cfg(windows)]
impl Taken<Signal> {
    async fn next(&mut self) -> i32 {
        match &mut self.interrupt {
            Ok(interrupt) => drop(interrupt.recv().await),
            Err(_) => std::future::pending().await,
        }
        130
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::{SignalKind, Taken, io, listening, said_of, take};

    /// Takes the signals, of which `refused` can't be had. Returns them, what the log says, and which were asked for.
    fn taken(refused: &[SignalKind]) -> (io::Result<Taken<()>>, Result<String, String>, Vec<SignalKind>) {
        let mut asked = Vec::new();
        let taken = take(|kind| {
            asked.push(kind);
            if refused.contains(&kind) { Err(io::Error::other("not this one")) } else { Ok(()) }
        });
        let said = said_of(taken.as_ref());
        (taken, said, asked)
    }

    #[test]
    fn ctrl_c_is_left_alone_if_sigterm_cannot_be_had() {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        for refused in [vec![terminate], vec![terminate, interrupt]] {
            let (taken, said, asked) = taken(&refused);
            assert!(taken.is_err());
            assert_eq!(asked, [terminate], "SIGINT isn't touched");
            let said = said.unwrap_err();
            assert!(said.contains("SIGTERM and SIGINT can't be handled") && said.contains("not this one"), "{said}");
        }
    }

    #[test]
    fn sigterm_is_kept_if_sigint_cannot_be_had() {
        let (taken, said, asked) = taken(&[SignalKind::interrupt()]);
        let taken = taken.unwrap();
        assert!(taken.terminate.is_some() && taken.interrupt.is_err());
        assert_eq!(asked, [SignalKind::terminate(), SignalKind::interrupt()]);
        let said = said.unwrap_err();
        assert!(said.contains("SIGTERM exits the app") && said.contains("Ctrl+C ends it at once: not this"), "{said}");
    }

    #[test]
    fn the_log_says_that_both_are_handled() {
        let (taken, said, _) = taken(&[]);
        assert!(taken.is_ok_and(|taken| taken.terminate.is_some() && taken.interrupt.is_ok()));
        assert_eq!(said.unwrap(), "SIGTERM and SIGINT exit the app");
    }

    #[test]
    fn a_signal_is_received_as_soon_as_listening_begins() {
        let (runtime, mut signals) = listening().unwrap();
        for (signal, exit_code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            kill_process(getpid(), signal).unwrap();
            assert_eq!(runtime.block_on(signals.next()), exit_code);
        }
    }
}
