//! `cargo xtask imports`: shows which file imports which, in Rust and TypeScript, and checks that imports point one
//! way: without circles, and down the tree in CONTRIBUTING.md.

mod arrows;
mod blocks;
mod folders;
mod graph;
mod manifest;
mod order;
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

/// Prints the children of each folder by floor, then each fault. Fails if there are any.
pub fn show() -> Result<ExitCode> {
    let sources = Sources::read(&root())?;
    let arrows = arrows(&sources)?;
    print!("{}", report::house(&arrows));
    let faults = faults(&sources, &arrows)?;
    for fault in &faults {
        println!("\n{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Fails if files or folders import each other in a circle, import what stands above them in CONTRIBUTING.md, or import what a
/// rule forbids.
pub fn check(output: &Output) -> Result<()> {
    let sources = Sources::read(&root())?;
    let faults = faults(&sources, &arrows(&sources)?)?;
    for fault in &faults {
        output.note(&format!("{fault}\n"))?;
    }
    ensure!(
        faults.is_empty(),
        "imports must point one way, but there are faults: {}\n{}",
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

fn faults(sources: &Sources, arrows: &Arrows) -> Result<Vec<String>> {
    let mut faults = circles_and_broken_rules(sources, arrows)?;
    faults.extend(order::faults(sources, arrows)?);
    Ok(faults)
}

fn circles_and_broken_rules(sources: &Sources, arrows: &Arrows) -> Result<Vec<String>> {
    let mut faults = report::circles_of_files(arrows);
    faults.extend(report::circles_of_folders(arrows, &Places::of(arrows)));
    faults.extend(rules::broken(sources, arrows)?);
    Ok(faults)
}
