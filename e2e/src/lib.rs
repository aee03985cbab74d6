//! Drives the example apps in a real window, as a person would: [`App`] is such a window, [`Workbench`] knows the
//! workbench's page, and [`Server`] is what it downloads from.

#![expect(missing_docs, reason = "only the tests of this repository read it")]

mod address;
mod app;
mod bar;
mod click;
mod desktop;
mod driver;
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

/// How long a person would wait for an app, on a machine that has other things to do. No test passes by waiting for so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; an error that says what was missing after [`PATIENCE`].
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    eventually_within(what, PATIENCE, condition).await
}

/// The same for what takes longer, or must not take so long.
pub async fn eventually_within<T>(
    what: &str,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + timeout;
    loop {
        let answer = condition().await;
        match answer {
            Ok(Some(value)) => return Ok(value),
            Ok(None) if Instant::now() > deadline => bail!("not within {timeout:?}: {what}"),
            Err(error) if Instant::now() > deadline => {
                return Err(error).with_context(|| format!("not within {timeout:?}: {what}"));
            }
            // A page that is just being loaded answers with errors.
            Ok(None) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
