//! Runs stages. Prints one line for each, and its output only if it fails.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::command::{Output, target};

/// A part of `cargo xtask test`.
pub struct Stage<C> {
    pub name: &'static str,
    /// Stages that must run before this one, even if only this one is named.
    pub needs: &'static [&'static str],
    pub run: fn(&C, &Output) -> Result<()>,
}

/// Returns the stages of `all` that `asked` names and those they need, in order. If `asked` is empty, returns all.
pub fn chosen<'a, C>(all: &'a [Stage<C>], asked: &[String]) -> Vec<&'a Stage<C>> {
    let mut wanted: Vec<&str> = asked.iter().map(String::as_str).collect();
    // A stage needs only stages before it in the list, so one pass from the end finds all.
    for stage in all.iter().rev() {
        if wanted.contains(&stage.name) {
            wanted.extend(stage.needs);
        }
    }
    let is_wanted = |stage: &&Stage<C>| asked.is_empty() || wanted.contains(&stage.name);
    all.iter().filter(is_wanted).collect()
}

/// Returns the folder for the output of stages and programs, and creates it.
pub fn logs() -> Result<PathBuf> {
    let logs = target().join("xtask/logs");
    fs::create_dir_all(&logs).with_context(|| format!("can't create {}", logs.display()))?;
    Ok(logs)
}

/// Runs the stages until one fails, and prints a summary.
pub fn run<C>(stages: &[&Stage<C>], context: &C) -> Result<ExitCode> {
    let logs = logs()?;
    let begin = Instant::now();
    for (done, stage) in stages.iter().enumerate() {
        print!("{:<12}", stage.name);
        std::io::stdout().flush()?;
        let log = logs.join(format!("{}.log", stage.name));
        let start = Instant::now();
        let result = (stage.run)(context, &Output::Log(File::create(&log)?));
        let seconds = start.elapsed().as_secs_f64();
        if let Err(error) = result {
            println!("FAILED {seconds:6.1} s\n");
            println!("{}", fs::read_to_string(&log).unwrap_or_default());
            println!("{error:#}");
            println!("\nThe output above is also in {}.", log.display());
            println!("Try again with: cargo xtask test {}\n", stage.name);
            println!("{done} passed, 1 failed");
            return Ok(ExitCode::FAILURE);
        }
        println!("ok     {seconds:6.1} s");
    }
    println!("\nTotal: {:.1} s.", begin.elapsed().as_secs_f64());
    println!("{} passed, 0 failed", stages.len());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &'static str, needs: &'static [&'static str]) -> Stage<()> {
        Stage { name, needs, run: |(), _| Ok(()) }
    }

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let all = [stage("npm", &[]), stage("lint", &["npm"]), stage("build", &["npm"]), stage("e2e", &["build"])];
        let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
        chosen(&all, &asked).iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn all_stages_run_if_none_are_named() {
        assert_eq!(names(&[]), ["npm", "lint", "build", "e2e"]);
    }

    #[test]
    fn a_named_stage_runs_the_stages_it_needs() {
        assert_eq!(names(&["e2e"]), ["npm", "build", "e2e"]);
        assert_eq!(names(&["lint"]), ["npm", "lint"]);
    }
}
