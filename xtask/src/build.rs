//! The builds that `demo` and `test` share. Both run the same commands, so that each reuses what the other has built.

use anyhow::Result;

use crate::command::{Output, command, root};
use crate::unchanged;

/// The arguments of every Cargo command of `demo` and `test` that compiles Tauri: one set of features means one build of Tauri.
/// All of them, since features only add.
pub const WORKSPACE: &str = "--workspace --all-features";

/// Builds the client, `api-iife.js`, and the examples' pages, which the Rust build embeds.
pub fn typescript(output: &Output) -> Result<()> {
    let embedded = ["api-iife.js", "examples/quick-start/dist", "examples/workbench/dist"];
    unchanged::keep_times(&embedded.map(|path| root().join(path)), || {
        output.run(&mut command("npm run build"))?;
        output.run(&mut command("npm run build --workspaces --if-present"))
    })
}

/// Builds the programs.
pub fn programs(output: &Output) -> Result<()> {
    // Cargo turns on the features of dev-dependencies only if it builds a test. Without one, Tauri would be built twice.
    output.run(&mut command(&format!("cargo build {WORKSPACE} --bins --test download")))
}

/// Returns the arguments with which Cargo documents the libraries.
pub fn docs() -> String {
    // `--examples` turns on the features of dev-dependencies, as `--test` does in `programs`.
    format!("doc --quiet {WORKSPACE} --no-deps --lib --examples")
}

pub fn everything(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo build --quiet {WORKSPACE} --all-targets")))
}
