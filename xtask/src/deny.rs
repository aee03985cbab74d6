//! `cargo xtask deny` and `cargo xtask audit`: what `deny.toml` says about the licences, sources and known vulnerabilities of all
//! dependencies.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::{Output, command, root, stdout, target};

/// The newest one that was tried. Another version may know other checks.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources.
pub fn run() -> Result<ExitCode> {
    check(&["licenses", "bans", "sources"])
}

/// Checks the dependencies for known vulnerabilities. Downloads the list of those, and fails if that is not possible.
pub fn audit() -> Result<ExitCode> {
    check(&["advisories"]).context(
        "if the advisories could not be downloaded, nothing was checked: try again where github.com can be reached",
    )
}

fn check(what: &[&str]) -> Result<ExitCode> {
    let output = Output::Terminal;
    output.run(cargo_deny(&output)?.args(["--workspace", "check"]).args(what))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the command `cargo deny` of [`VERSION`]. Installs it into `target/tools` if the machine has another or none.
fn cargo_deny(output: &Output) -> Result<Command> {
    let is_wanted = |version: String| version.trim().ends_with(VERSION);
    if stdout(&mut command("cargo deny --version")).is_some_and(is_wanted) {
        return Ok(command("cargo deny"));
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    let installed = || stdout(Command::new(&program).arg("--version")).is_some_and(is_wanted);
    if !installed() {
        output.announce("installing cargo-deny into target/tools")?;
        // A debug build compiles much sooner, and is fast enough.
        let install = format!("cargo install --debug --locked --force cargo-deny --version {VERSION} --root");
        output.run(command(&install).arg(&tools))?;
    }
    let mut deny = Command::new(program);
    deny.current_dir(root());
    Ok(deny)
}
