//! What demo and test both build, with the same commands, so that either finds the work of the other done.

use anyhow::Result;

use crate::command::{Output, command, root};
use crate::unchanged;

/// Every Cargo command that compiles tauri gets these: one set of features, one build of tauri.
pub const WORKSPACE: &str = "--workspace --features no-bundler/custom-protocol,quick-start/bindings,\
    quick-start/custom-protocol,ways-out/custom-protocol,workbench/bench,workbench/custom-protocol";

/// The client, `api-iife.js`, and the examples' pages, which the Rust build embeds.
pub fn typescript(output: &Output) -> Result<()> {
    let embedded = ["api-iife.js", "examples/quick-start/dist", "examples/workbench/dist"];
    unchanged::keep_times(&embedded.map(|path| root().join(path)), || {
        output.run(&mut command("npm run build"))?;
        output.run(&mut command("npm run build --workspaces --if-present"))
    })
}

/// The programs that can be run.
pub fn programs(output: &Output) -> Result<()> {
    // Cargo counts the features of development dependencies only if a test is built: name one, or tauri is built twice.
    output.run(&mut command(&format!("cargo build {WORKSPACE} --bins --test download")))
}

pub fn everything(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo build --quiet {WORKSPACE} --all-targets")))
}
