//! `cargo xtask demo`: builds the workbench and opens it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::command::{Output, root, target};
use crate::{build, setup};

pub fn run() -> Result<ExitCode> {
    let output = Output::Terminal;
    setup::to_build(&output)?;
    setup::npm_packages(&output)?;
    build::typescript(&output)?;
    build::programs(&output)?;
    let has_display =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if has_display || !cfg!(target_os = "linux") {
        println!("\nOpening the workbench. Close its windows to end the demo.");
        output.run(&mut app("workbench"))?;
    } else {
        setup::to_drive(&output)?;
        println!("\nThere is no display: touring the workbench under Xvfb.");
        output.run(&mut app("tour"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn app(name: &str) -> Command {
    let mut app = Command::new(target().join("debug").join(name));
    app.current_dir(root());
    app
}
