//! `cargo xtask bench`: the product's performance, as a table of figures with their goals or as JSON.
//!
//! Only the figures go to standard output; the output of builds and benches goes to standard error.

mod criterion;
mod engine;
mod figure;
mod statistics;
mod window;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use figure::Figure;

/// A part that can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What a task costs in Rust, from its start to its end
    Engine,
    /// How fast and how smoothly progress and items reach a page
    Window,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Window => "window",
        }
    }

    fn measure(self) -> Result<Vec<Figure>> {
        match self {
            Self::Engine => engine::measure(),
            Self::Window => window::measure(),
        }
    }
}

/// Measures `part`, or all parts.
pub fn run(part: Option<Part>, json: bool) -> Result<ExitCode> {
    let parts = part.map_or_else(|| Part::value_variants().to_vec(), |part| vec![part]);
    let measured = parts.into_iter().map(|part| Ok((part.name(), part.measure()?)));
    let measured: Vec<_> = measured.collect::<Result<_>>()?;
    if json {
        let parts: Vec<_> = measured.iter().map(|(name, figures)| figure::json(name, figures)).collect();
        println!("{{{}}}", parts.join(", "));
    } else {
        for (name, figures) in &measured {
            println!("{}", figure::table(name, figures));
        }
    }
    // A missed goal shows in the table and does not fail the command.
    Ok(ExitCode::SUCCESS)
}
