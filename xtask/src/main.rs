//! Commands for developers: `cargo xtask demo`, `test`, `imports`, `bench`, `platforms`, `deny` and `audit`.

mod api;
mod bench;
mod build;
mod command;
mod demo;
mod deny;
mod generated;
mod imports;
mod mutations;
mod platforms;
mod setup;
mod sources;
mod stages;
mod test;
mod unchanged;
mod work_tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Commands for developers")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build the workbench and open it (without a display, tour it under Xvfb)
    Demo,
    /// Run every check and test, or only the named stages and what they need
    Test {
        #[arg(value_name = "STAGE", value_parser = test::stage_names())]
        stages: Vec<String>,
    },
    /// Show what the files of each folder import, floor by floor, and list circles and broken rules
    Imports,
    /// Measure the product's performance and compare it with the goals in BENCHMARKS.md
    Bench {
        /// Measure only this part
        part: Option<bench::Part>,
        /// Print one JSON object instead of the table
        #[arg(long)]
        json: bool,
    },
    /// Compile the plugin for other platforms, and run its tests as Windows programs under Wine (needs root)
    Platforms(platforms::Arguments),
    /// Check the licences and sources of all dependencies (deny.toml)
    Deny,
    /// Check all dependencies for known vulnerabilities (needs the network)
    Audit,
}

fn main() -> ExitCode {
    if let Some(code) = api::rustdoc::in_place_of_rustdoc() {
        return code;
    }
    let result = match Cli::parse().command {
        Command::Demo => demo::run(),
        Command::Test { stages } => test::run(&stages),
        Command::Imports => imports::show(),
        Command::Bench { part, json } => bench::run(part, json),
        Command::Platforms(arguments) => platforms::run(&arguments),
        Command::Deny => deny::run(),
        Command::Audit => deny::audit(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
