//! Builds and runs the workbench with its bench page.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::display::Display;
use super::measured::Measured;
use crate::command::{Output, command, target};
use crate::setup;

/// The time limit of a row, which takes less than a minute unless its page hangs.
const LONGEST: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Makes Tauri embed the bench page, which has an output folder of its own, instead of the workbench's page.
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

/// Measures one row in a process of its own, so that the memory of another row does not count.
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
    let text = reader.join().ok().context("the output of the workbench could not be read")??;
    Measured::parse(&text, row)
}

/// Waits for the program to end, and kills it after [`LONGEST`].
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
