//! Mutation tests: breaks the engine on purpose, in one way at a time, and checks that the tests fail.
//!
//! The mutations are applied to a copy of the engine's package under `target/xtask/mutants`. The work tree stays as it is, and
//! nothing that needs a webview is built. Nearly all of them are in one build, and an environment variable picks one.

mod copy;
mod list;
mod mutation;

use std::fs;
use std::path::Path;
use std::process::Output as Finished;

use anyhow::{Context, Result, ensure};

use crate::command::{Output, target};
use crate::setup;
use copy::{PACKAGE, sync};
use list::MUTATIONS;
use mutation::{CHOICE, How, Mutation};

/// The exit code of nextest when tests have failed. Any other failure means that a mutation could not be tested.
const TESTS_FAILED: i32 = 100;
/// A filter for the tests that must pass without a mutation.
const WHOLE: &str = "test(/^tests::/)";

/// Tests each mutation. Fails if the tests pass with one.
pub fn run(output: &Output) -> Result<()> {
    let copy = target().join("xtask/mutants");
    sync(&copy)?;
    let whole = tests(&copy, WHOLE, None, output)?;
    ensure!(whole.status.success(), "{}\n\nthe tests fail on the engine without a mutation", text(&whole));
    let mut survived = vec![];
    for (number, mutation) in MUTATIONS.iter().enumerate() {
        let result = tested(&copy, number, mutation, output)?;
        match result.status.code() {
            Some(0) => survived.push(mutation.name),
            Some(TESTS_FAILED) => {}
            _ => anyhow::bail!(
                "{}\n\n\"{}\" can't be tested: nextest ended with {}",
                text(&result),
                mutation.name,
                result.status
            ),
        }
        output.note(&format!("{}: {}", mutation.name, seen_by(&text(&result))))?;
    }
    ensure!(survived.is_empty(), "no test notices these mutations: {}", survived.join(", "));
    Ok(())
}

/// Runs the tests that must notice a mutation.
fn tested(copy: &Path, number: usize, mutation: &Mutation, output: &Output) -> Result<Finished> {
    if mutation.how != How::Rebuild {
        return tests(copy, mutation.seen_by, Some(number), output);
    }
    let file = copy.join(mutation.file);
    let original = fs::read_to_string(&file)?;
    fs::write(&file, mutation.apply(number, &original)?)?;
    let result = tests(copy, mutation.seen_by, None, output);
    fs::write(&file, original)?;
    result
}

/// Runs the tests of the copy that `filter` picks, with the mutation of this number.
fn tests(copy: &Path, filter: &str, mutation: Option<usize>, output: &Output) -> Result<Finished> {
    let mut nextest = setup::nextest(output)?;
    nextest.args(["--package", PACKAGE, "--lib", "--color", "never", "--filterset", filter]);
    nextest.current_dir(copy).env("CARGO_TARGET_DIR", target()).env("RUST_BACKTRACE", "0");
    // It is enough that a test fails: proptest need not shrink the failing input.
    nextest.env("PROPTEST_MAX_SHRINK_ITERS", "0").env_remove(CHOICE);
    nextest.envs(mutation.map(|number| (CHOICE, number.to_string())));
    nextest.output().context("nextest could not be started")
}

fn text(finished: &Finished) -> String {
    [&finished.stdout, &finished.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// Returns the names of the tests that failed, from nextest's report.
fn seen_by(report: &str) -> String {
    let failed = report.lines().filter(|line| ["FAIL [", "TIMEOUT ["].iter().any(|word| line.trim().starts_with(word)));
    let mut names: Vec<_> = failed.filter_map(|line| line.split_whitespace().last()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "SURVIVES".to_owned() } else { format!("seen by {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_that_failed_are_named() {
        let report =
            "  PASS [ 0.1s] (1/2) p a\n  FAIL [   1.6s] (2/2) p engine::b\n---\n  FAIL [   1.6s] (2/2) p engine::b\n";
        assert_eq!(seen_by(report), "seen by engine::b");
        assert_eq!(seen_by("  PASS [ 0.1s] (1/2) p a"), "SURVIVES");
    }
}
