//! What Cargo does in the Debian: it builds each target's standard library from source, and compiles for it.

use std::time::Duration;

use anyhow::{Context, Result};

use super::debian::{CargoHome, Debian, Job, PROJECT};
use super::platform::Platform;
use crate::command::Output;

const STD: &str = "-Zbuild-std=std,panic_abort,panic_unwind,test";
const PACKAGES: &str = "--package tauri-plugin-tasks --package tauri-plugin-tasks-engine";
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// Downloads all crates that the other functions need.
pub fn fetch(debian: &Debian, output: &Output) -> Result<()> {
    cargo(&format!("fetch --locked {STD}"), CargoHome::Fill, debian, output).context("fetching the crates").map(drop)
}

/// Checks the libraries as apps build them: without tests, and so without the features that only tests turn on.
pub fn libraries(debian: &Debian, platform: Platform, output: &Output) -> Result<()> {
    let target = platform.target();
    cargo(&format!("check --locked {STD} --target {target} {PACKAGES}"), CargoHome::Read, debian, output).map(drop)
}

/// Checks the libraries with all features. Leaves out their tests, which need C compilers for the targets (criterion does).
pub fn all_features(debian: &Debian, platform: Platform, output: &Output) -> Result<()> {
    let target = platform.target();
    let check = format!("check --locked {STD} --target {target} {PACKAGES} --all-features --lib");
    cargo(&check, CargoHome::Read, debian, output).map(drop)
}

/// Builds all tests, examples and benches as programs. Returns what Cargo says of them, as lines of JSON.
pub fn programs(debian: &Debian, platform: Platform, output: &Output) -> Result<String> {
    let target = platform.target();
    let rest =
        format!("--locked {STD} --target {target} {PACKAGES} --all-features --message-format json-render-diagnostics");
    // `cargo test` would build the examples as tests.
    let tests = cargo(&format!("test --no-run --lib --tests {rest}"), CargoHome::Read, debian, output)?;
    let others = cargo(&format!("build --examples --benches {rest}"), CargoHome::Read, debian, output)?;
    Ok(tests + &others)
}

fn cargo(line: &str, cargo_home: CargoHome, debian: &Debian, output: &Output) -> Result<String> {
    let program: Vec<_> = std::iter::once("cargo").chain(line.split_whitespace()).collect();
    debian.run(&Job { program: &program, folder: PROJECT, cargo_home, limit: LIMIT }, output)
}
