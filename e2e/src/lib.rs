//! Drives the example apps in a real window, as a user would: [`App`] drives a running app, [`Workbench`] knows the
//! workbench's page, and [`Server`] serves its downloads.

#![expect(missing_docs, reason = "only the tests of this repository use it")]

mod address;
mod app;
mod bar;
mod click;
mod desktop;
mod driver;
mod environment;
mod process;
mod server;
mod workbench;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

pub use app::{App, PageError, target, with_app};
pub use bar::ensure_bar_moves;
pub use process::Process;
pub use server::{Content, Server};
pub use workbench::{Card, Many, Workbench};

/// The time limit of each wait, generous enough for a busy machine. No test passes by using it up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Calls `condition` until it returns a value. After [`PATIENCE`] fails with an error that names `what` it waited for.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    eventually_within(what, PATIENCE, condition).await
}

/// Does the same as [`eventually`] with a time limit other than [`PATIENCE`].
pub async fn eventually_within<T>(
    what: &str,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begin = Instant::now();
    let deadline = begin + timeout;
    loop {
        let answer = condition().await;
        match answer {
            Ok(Some(value)) => return Ok(value),
            Ok(None) if Instant::now() > deadline => bail!("timed out after {timeout:?} waiting for {what}"),
            Err(error) if Instant::now() > deadline => {
                return Err(error).with_context(|| format!("timed out after {timeout:?} waiting for {what}"));
            }
            // A page that is still loading answers with errors.
            Ok(None) | Err(_) => tokio::time::sleep(pause(begin.elapsed())).await,
        }
    }
}

/// Returns how long to pause after `waited`. Each look at a page takes time from the windows of other tests, so a long wait
/// looks less often.
fn pause(waited: Duration) -> Duration {
    (waited / 10).clamp(Duration::from_millis(20), Duration::from_millis(100))
}
