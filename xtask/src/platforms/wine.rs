//! Runs the tests and the engine's example as Windows programs under Wine.
//!
//! Wine's server ends with the namespaces of the program that needed it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::debian::{CargoHome, Debian, Job, PROJECT, WINE as FOLDER};
use super::program::{self, Program};
use crate::command::Output;

const LIMIT: Duration = Duration::from_secs(30 * 60);
const EXAMPLE: &str = "terminal";
/// What the example shows at the end for a file with the bytes 1 and 2: 1 * 31 + 2.
const BYTES: [u8; 2] = [1, 2];
const SUM: &str = "done: 33";

/// Makes Wine's folder, once, so that it is whole before a program uses it. Wine's server writes the registry only when it ends by itself;
/// without the time zones that are in there, for example, no program knows the local time.
pub fn prepare(debian: &Debian, output: &Output) -> Result<()> {
    let folder = debian.path(FOLDER);
    let registry = folder.join("system.reg");
    if registry.exists() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    // The server has no name in the search path.
    let boot = ["sh", "-c", "wineboot --init && /usr/lib/*/wine/wineserver --wait"];
    run(&boot, PROJECT, debian, output).context("starting Wine")?;
    ensure!(registry.exists(), "Wine has written no registry to {}", registry.display());
    Ok(())
}

/// Runs each test program to its end, with the libraries in these folders. Returns how many tests have passed. Fails if a program fails,
/// runs no test or does not end.
pub fn tests(debian: &Debian, programs: &[Program], libraries: &[String], output: &Output) -> Result<usize> {
    let libraries: Vec<_> = libraries.iter().map(|folder| format!("Z:{}", folder.replace('/', "\\"))).collect();
    let search_path = format!("WINEPATH={}", libraries.join(";"));
    let mut passed = 0;
    let mut failed = vec![];
    for test in programs.iter().filter(|program| program.is_test) {
        let result = run(&["env", &search_path, "wine", &test.path], &test.folder, debian, output);
        match result.and_then(|text| program::passed(&text)) {
            Ok(count) => passed += count,
            Err(error) => failed.push(format!("{}: {error:#}", test.name)),
        }
    }
    ensure!(failed.is_empty(), "these test programs failed:\n{}", failed.join("\n"));
    ensure!(passed > 0, "Cargo named no test program");
    Ok(passed)
}

/// Runs the engine's example on a folder of its own, in a terminal, since it shows nothing elsewhere.
pub fn example(debian: &Debian, programs: &[Program], output: &Output) -> Result<()> {
    let is_example = |program: &&Program| !program.is_test && program.name == EXAMPLE;
    let example = programs.iter().find(is_example).ok_or_else(|| anyhow!("Cargo built no example {EXAMPLE}"))?;
    let folder = debian.path("/example");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("file"), BYTES)?;
    let line = format!("wine {} 'Z:\\example'", example.path);
    let text =
        run(&["script", "--quiet", "--return", "--command", &line, "/dev/null"], &example.folder, debian, output)?;
    if !text.contains(SUM) {
        bail!("the example ended without showing {SUM:?}");
    }
    Ok(())
}

fn run(program: &[&str], folder: &str, debian: &Debian, output: &Output) -> Result<String> {
    debian.run(&Job { program, folder, cargo_home: CargoHome::Read, limit: LIMIT }, output)
}
