//! `cargo xtask test`: every check, cheapest first.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::api;
use crate::build::{self, WORKSPACE};
use crate::command::{Output, command};
use crate::generated::Generated;
use crate::imports;
use crate::mutations;
use crate::setup;
use crate::sources;
use crate::stages::{self, Stage};

/// How many window tests run at once. `.config/nextest.toml` has the same limit.
const WINDOWS: &str = "6";

const STAGES: &[Stage<Generated>] = &[
    Stage { name: "set-up", needs: &[], beside: false, run: |_, output| set_up(output) },
    Stage { name: "rustfmt", needs: &[], beside: false, run: |_, output| rustfmt(output) },
    Stage { name: "imports", needs: &[], beside: false, run: |_, output| imports::check(output) },
    Stage { name: "sources", needs: &[], beside: false, run: |_, output| sources::check(output) },
    Stage { name: "npm", needs: &["set-up"], beside: false, run: |_, output| setup::npm_packages(output) },
    Stage { name: "typescript", needs: &["npm"], beside: false, run: |_, output| build::typescript(output) },
    Stage { name: "lint", needs: &["typescript"], beside: false, run: |_, output| npm("lint", output) },
    Stage { name: "types", needs: &["typescript"], beside: false, run: |_, output| npm("typecheck", output) },
    Stage { name: "vitest", needs: &["typescript"], beside: false, run: |_, output| npm("test", output) },
    Stage { name: "package", needs: &["typescript"], beside: false, run: |_, output| package(output) },
    Stage { name: "clippy", needs: &["typescript"], beside: false, run: |_, output| clippy(output) },
    Stage { name: "build", needs: &["typescript"], beside: false, run: |_, output| build::everything(output) },
    Stage { name: "features", needs: &["typescript"], beside: false, run: |_, output| features(output) },
    Stage { name: "doctest", needs: &["typescript"], beside: false, run: |_, output| doc_tests(output) },
    Stage { name: "docs", needs: &["typescript"], beside: false, run: |_, output| docs(output) },
    Stage { name: "api", needs: &["typescript"], beside: false, run: |_, output| api::check(output) },
    Stage { name: "generated", needs: &["build"], beside: false, run: |before, _| before.check() },
    // These two leave cores idle: the mutations compile one small crate, and the last tests of Rust are alone. The window tests wait
    // most of their time.
    Stage { name: "mutations", needs: &[], beside: true, run: |_, output| mutations::run(output) },
    Stage { name: "rust", needs: &["build"], beside: true, run: |_, output| rust_tests(output) },
    Stage { name: "e2e", needs: &["build"], beside: false, run: |_, output| end_to_end(output) },
];

pub fn stage_names() -> Vec<&'static str> {
    STAGES.iter().map(|stage| stage.name).collect()
}

pub fn run(asked: &[String]) -> Result<ExitCode> {
    stages::run(&stages::chosen(STAGES, asked), &Generated::read()?, &stages::logs()?)
}

fn set_up(output: &Output) -> Result<()> {
    setup::to_build(output)?;
    setup::to_drive(output)?;
    // Here, since several stages need it at the same time.
    setup::nextest(output).map(drop)
}

fn rustfmt(output: &Output) -> Result<()> {
    setup::rust_component("fmt", output)?;
    output.run(&mut command("cargo fmt --all -- --check --color never"))
}

fn npm(script: &str, output: &Output) -> Result<()> {
    output.run(&mut command(&format!("npm run {script}")))
}

/// Checks what npm would publish: the size of each entry, the packed manifest and its types.
fn package(output: &Output) -> Result<()> {
    npm("sizes", output)?;
    npm("package", output)
}

fn clippy(output: &Output) -> Result<()> {
    setup::rust_component("clippy", output)?;
    output.run(&mut command(&format!("cargo clippy --quiet {WORKSPACE} --all-targets -- --deny warnings")))
}

/// Builds what apps build: without the tests, and so without the features that only they turn on.
fn features(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo build --quiet {WORKSPACE}")))
}

fn rust_tests(output: &Output) -> Result<()> {
    nextest("not package(e2e)", &[], output)
}

fn end_to_end(output: &Output) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "the end-to-end tests need Linux, with WebKitWebDriver and Xvfb");
    build::with_tracing(output)?;
    // A window test mostly waits, so there may be more of them than cores.
    nextest("package(e2e)", &["--test-threads", WINDOWS], output)
}

/// Runs the tests that a filter picks, always for all packages: other packages would mean other features and another build.
fn nextest(filter: &str, more: &[&str], output: &Output) -> Result<()> {
    let mut nextest = setup::nextest(output)?;
    nextest.args(WORKSPACE.split(' ')).args(["--all-targets", "--filterset", filter]).args(more);
    // An error's message says where it comes from, so errors need no backtrace. Panics still have one.
    output.run(nextest.env("RUST_LIB_BACKTRACE", "0"))
}

fn doc_tests(output: &Output) -> Result<()> {
    output.run(&mut command(&format!("cargo test --quiet {WORKSPACE} --doc")))
}

fn docs(output: &Output) -> Result<()> {
    let mut docs = command(&format!("cargo {}", build::docs()));
    output.run(docs.env("RUSTDOCFLAGS", "--deny warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_needs_only_earlier_ones_that_have_ended() {
        for (index, stage) in STAGES.iter().enumerate() {
            for need in stage.needs {
                let earlier = STAGES[..index].iter().find(|earlier| earlier.name == *need);
                assert!(earlier.is_some_and(|earlier| !earlier.beside), "{} needs {need}", stage.name);
            }
        }
    }
}
