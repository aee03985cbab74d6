//! `cargo xtask imports`: shows which file imports which, in Rust and TypeScript, and checks that there are no circles.

mod arrows;
mod folders;
mod graph;
mod report;
mod rules;
mod rust;
mod sources;
mod typescript;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::command::{Output, root};
use arrows::Arrows;
use folders::Places;
use sources::Sources;

/// Prints the children of each folder by floor, then each circle and each broken rule. Fails if there are any.
pub fn show() -> Result<ExitCode> {
    let arrows = arrows(&Sources::read(&root())?)?;
    print!("{}", report::house(&arrows));
    let faults = faults(&arrows);
    for fault in &faults {
        println!("\n{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Fails if files or folders import each other in a circle, or import what a rule forbids.
pub fn check(output: &Output) -> Result<()> {
    let faults = faults(&arrows(&Sources::read(&root())?)?);
    for fault in &faults {
        output.note(&format!("{fault}\n"))?;
    }
    ensure!(
        faults.is_empty(),
        "imports must point one way, but {} circles or broken rules were found\n{}",
        faults.len(),
        report::ADVICE
    );
    Ok(())
}

fn arrows(sources: &Sources) -> Result<Arrows> {
    let mut arrows = Arrows::default();
    rust::add_arrows(sources, &mut arrows)?;
    typescript::add_arrows(sources, &mut arrows)?;
    Ok(arrows)
}

fn faults(arrows: &Arrows) -> Vec<String> {
    let places = Places::of(arrows);
    let mut faults = report::circles_of_files(arrows);
    faults.extend(report::circles_of_folders(arrows, &places));
    faults.extend(rules::broken(arrows, &places));
    faults
}
