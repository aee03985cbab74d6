//! The workbench with its bench page: building it, and running it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use display::Display;

use super::measured::Measured;
use crate::command::{Output, command, target};
use crate::setup;

/// A row takes less than a minute. After this long its page hangs.
const LONGEST: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The bench's page is built into a folder of its own, not into what the workbench is built from.
const PAGE: &str = r#"{"build":{"frontendDist":"../dist-bench"}}"#;

pub fn build() -> Result<PathBuf> {
    let output = Output::StandardError;
    setup::to_build(&output)?;
    setup::to_drive(&output)?;
    setup::npm_packages(&output)?;
    output.run(&mut command("npm run build"))?;
    output.run(&mut command("npm run build:bench --workspace workbench"))?;
    let mut cargo = command("cargo build --release --package workbench --features bench,custom-protocol");
    output.run(cargo.env("TAURI_CONFIG", PAGE))?;
    Ok(target().join("release/workbench"))
}

/// One row, in a program of its own, so that it doesn't pay for what another one has left in memory.
pub fn run(program: &Path, display: &Display, row: &str) -> Result<Measured> {
    let mut command = std::process::Command::new(program);
    command.env("WORKBENCH_BENCH", row).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = display.show(&mut command).spawn().context("the workbench could not be started")?;
    let output = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        output.map_or(Ok(0), |mut output| output.read_to_string(&mut text)).map(|_| text)
    });
    let status = end(&mut child)?;
    ensure!(status.success(), "the workbench could not measure {row} ({status})");
    let text = reader.join().ok().context("nobody has read what the workbench says")??;
    Measured::parse(&text, row)
}

/// Waits, and kills what doesn't end.
fn end(child: &mut Child) -> Result<ExitStatus> {
    let begin = Instant::now();
    while begin.elapsed() < LONGEST {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(LOOK_AGAIN);
    }
    child.kill()?;
    Ok(child.wait()?)
}
