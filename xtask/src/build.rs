//! What demo and test both build, with the same commands, so that either finds the work of the other done.

use anyhow::Result;

use crate::command::{Output, command};

/// Every Cargo command that compiles tauri gets these: one set of features, one build of tauri.
pub const WORKSPACE: &str = "--workspace --features workbench/custom-protocol,no-bundler/custom-protocol";

/// The client, `api-iife.js` and the workbench's page, which the Rust build embeds.
pub fn typescript(output: &Output) -> Result<()> {
    output.run(&mut command("npm run build"))?;
    output.run(&mut command("npm run build --workspace workbench"))
}

pub fn apps(output: &Output) -> Result<()> {
    // Cargo counts the features of development dependencies only if a test is built: name one, or tauri is built twice.
    output.run(&mut command(&format!("cargo build {WORKSPACE} --bins --test download")))
}

pub fn everything(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo build {WORKSPACE} --all-targets")))
}
