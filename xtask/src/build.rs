//! The builds that `demo` and `test` share. Both run the same commands, so that each reuses what the other has built.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{Output, command, root, target};
use crate::unchanged;

/// The arguments of every Cargo command of `demo` and `test` that compiles Tauri: one set of features means one build of Tauri.
/// All of them, since features only add.
pub const WORKSPACE: &str = "--workspace --all-features";

/// Builds the client, `api-iife.js`, and the examples' pages, which the Rust build embeds.
pub fn typescript(output: &Output) -> Result<()> {
    let embedded = ["api-iife.js", "examples/frameworks/dist", "examples/quick-start/dist", "examples/workbench/dist"];
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

/// Builds `no-bundler-tracing`, which is `no-bundler` with Tauri's feature `tracing`. No package may have a feature for that: all
/// features are turned on for the other window tests and for the benches, which run Tauri as most apps do.
pub fn with_tracing(output: &Output) -> Result<()> {
    let no_bundler = format!("cargo build --quiet {WORKSPACE} --bin no-bundler");
    output.run(&mut command(&format!("{no_bundler} --features tauri/tracing")))?;
    let (built, kept) = (target().join("debug/no-bundler"), target().join("debug/no-bundler-tracing"));
    fs::copy(&built, &kept).with_context(|| format!("can't copy {} to {}", built.display(), kept.display()))?;
    // Puts the one without it there again.
    output.run(&mut command(&no_bundler))
}

/// Returns the arguments with which Cargo documents the libraries.
pub fn docs() -> String {
    // `--examples` turns on the features of dev-dependencies, as `--test` does in `programs`.
    format!("doc --quiet {WORKSPACE} --no-deps --lib --examples")
}

pub fn everything(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo build --quiet {WORKSPACE} --all-targets")))
}
