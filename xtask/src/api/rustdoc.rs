//! Runs rustdoc so that it writes JSON.
//!
//! The JSON is not stable yet: rustdoc writes it only with `RUSTC_BOOTSTRAP`, and its format changes with the compiler. If that
//! variable were set for Cargo, it would build all dependencies again. So Cargo calls this program in place of rustdoc,
//! and only this program sets it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::command::{self, Output, stdout, succeeds, target};

/// The version of Rust whose format `public_api` reads.
const VERSION: &str = "1.95";
/// Tells this program to be rustdoc; the value is the program to call.
const IN_PLACE_OF: &str = "XTASK_IN_PLACE_OF_RUSTDOC";

/// Returns the Cargo command `line`, which makes rustdoc write JSON.
pub fn command(line: &str, output: &Output) -> Result<Command> {
    let mut cargo = command::command("cargo");
    let rustdoc = if is_default()? {
        "rustdoc".to_owned()
    } else {
        let toolchain = install(output)?;
        cargo.arg(format!("+{toolchain}"));
        let path = stdout(&mut command::command(&format!("rustup which rustdoc --toolchain {toolchain}")));
        path.context("rustup knows no rustdoc")?.trim().to_owned()
    };
    cargo.args(line.split_whitespace()).arg("--target-dir").arg(target_dir()?);
    cargo.env("RUSTDOC", this_program()?).env(IN_PLACE_OF, rustdoc);
    cargo.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json");
    Ok(cargo)
}

/// Installs the toolchain whose format can be read, and returns its name.
fn install(output: &Output) -> Result<String> {
    ensure!(
        succeeds(&mut command::command("rustup --version")),
        "the listings of the public API need Rust {VERSION}: install it, or rustup (https://rustup.rs)"
    );
    let toolchain = format!("{VERSION}.0");
    output.run(&mut command::command(&format!("rustup toolchain install {toolchain} --profile minimal")))?;
    Ok(toolchain)
}

/// Returns the path of this program. An earlier stage may have built it anew, in place of the file that is running.
fn this_program() -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(format!("xtask{}", env::consts::EXE_SUFFIX)))
}

/// Returns the target folder of [`command`]: that of all commands, unless it is for another toolchain.
pub fn target_dir() -> Result<PathBuf> {
    Ok(if is_default()? { target() } else { target().join("api") })
}

fn is_default() -> Result<bool> {
    let version = stdout(&mut command::command("rustc --version")).context("`rustc --version` failed")?;
    Ok(version.starts_with(&format!("rustc {VERSION}.")))
}

/// Calls rustdoc, if Cargo has called this program in its place.
pub fn in_place_of_rustdoc() -> Option<ExitCode> {
    let rustdoc = env::var_os(IN_PLACE_OF)?;
    let status = Command::new(rustdoc).args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    Some(status.ok().and_then(|status| u8::try_from(status.code()?).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
