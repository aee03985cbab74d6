//! `cargo xtask platforms`: compiles the plugin and its engine for Windows, macOS, Android and iOS, and runs their tests, and the
//! engine's example, as Windows programs under Wine.
//!
//! All of it happens in a Debian in a folder, so it needs nothing of the machine's Rust toolchain.

mod apt;
mod compile;
mod debian;
mod ending;
mod mounts;
mod platform;
mod program;
mod report;
mod stamp;
mod wine;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum as _};

use crate::command::Output;
use debian::Debian;
use platform::Platform;
use report::Report;

#[derive(Args)]
pub struct Arguments {
    /// Only these platforms
    platforms: Vec<Platform>,
    /// Where the Debian system and what it has built are kept, about 10 GB
    ///
    /// [default: tauri-plugin-tasks/platforms in the user's cache folder]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The Debian mirror from which the system is built, if not the one in the machine's apt sources
    #[arg(long, value_name = "ADDRESS")]
    mirror: Option<String>,
}

/// Checks the chosen platforms, or all. A platform that fails does not keep the others from being checked.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    ensure!(cfg!(all(target_os = "linux", target_arch = "x86_64")), "`cargo xtask platforms` needs Linux on x86_64");
    let folder = arguments.folder.clone().map_or_else(default_folder, Ok)?;
    let debian = Debian::prepare(&folder, arguments.mirror.as_deref(), &Output::Terminal)?;
    compile::fetch(&debian, &Output::Terminal)?;
    let all = Platform::value_variants();
    let mut report = Report::default();
    for &platform in if arguments.platforms.is_empty() { all } else { &arguments.platforms } {
        check(platform, &debian, &mut report)?;
    }
    println!("\n{}", report.table());
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Does all that can be done here for a platform.
fn check(platform: Platform, debian: &Debian, report: &mut Report) -> Result<()> {
    report.step(platform, "libraries", |output| {
        compile::libraries(debian, platform, output)?;
        Ok("the libraries compile".to_owned())
    })?;
    if platform == Platform::Windows {
        return run_programs(debian, report);
    }
    report.step(platform, "features", |output| {
        compile::all_features(debian, platform, output)?;
        Ok("with all features, too".to_owned())
    })
}

/// Builds and runs the programs for Windows.
fn run_programs(debian: &Debian, report: &mut Report) -> Result<()> {
    let (mut programs, mut libraries) = (vec![], vec![]);
    report.step(Platform::Windows, "programs", |output| {
        let messages = compile::programs(debian, Platform::Windows, output)?;
        programs = program::programs(&messages)?;
        libraries = program::library_folders(&messages)?;
        Ok("all tests, examples and benches compile".to_owned())
    })?;
    report.step(Platform::Windows, "tests", |output| {
        wine::prepare(debian, output)?;
        let passed = wine::tests(debian, &programs, &libraries, output)?;
        Ok(format!("{passed} tests pass under Wine"))
    })?;
    report.step(Platform::Windows, "example", |output| {
        wine::example(debian, &programs, output)?;
        Ok("the engine's example runs under Wine".to_owned())
    })
}

fn default_folder() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    Ok(cache.context("there is no home folder: choose a folder with --folder")?.join("tauri-plugin-tasks/platforms"))
}
