//! The developer's commands: `cargo xtask demo` and `cargo xtask test`.

mod build;
mod command;
mod demo;
mod display;
mod generated;
mod setup;
mod stages;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The developer's commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build, and open the workbench (without a display: tour it under Xvfb)
    Demo,
    /// Run every check and test, or only the named stages and what they need
    Test {
        #[arg(value_name = "STAGE", value_parser = test::stage_names())]
        stages: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo => demo::run(),
        Command::Test { stages } => test::run(&stages),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
