//! The window part, measured by the page in `examples/workbench/src/bench` in the workbench's own webview, under Xvfb.

mod bytes;
mod crowd;
mod display;
mod flood;
mod latency;
mod lines;
mod measured;
mod program;
mod start;

use anyhow::{Result, ensure};

use super::figure::Figure;
use super::statistics::median;
use crate::stages;
use display::Display;
use measured::Measured;

/// What one run of the program measures.
struct Row {
    name: &'static str,
    /// Turns the measurements into figures.
    figures: fn(&Measured) -> Result<Vec<Figure>>,
}

const ROWS: [Row; 6] = [
    Row { name: "lines", figures: lines::figures },
    Row { name: "bytes", figures: bytes::figures },
    Row { name: "flood", figures: flood::figures },
    Row { name: "crowd", figures: crowd::figures },
    Row { name: "start", figures: start::figures },
    Row { name: "latency", figures: latency::figures },
];

pub fn measure() -> Result<Vec<Figure>> {
    ensure!(
        cfg!(target_os = "linux"),
        "the window part needs Linux, with WebKitGTK and Xvfb: run `cargo xtask bench engine` here"
    );
    let program = program::build()?;
    let display = Display::start(&stages::logs()?.join("xvfb.log"))?;
    let (mut figures, mut idle) = (Vec::new(), Vec::new());
    for row in &ROWS {
        eprintln!("Measuring {}", row.name);
        let measured = program::run(&program, &display, row.name)?;
        idle.push(measured.median("idleFps")?);
        figures.extend((row.figures)(&measured)?);
    }
    figures.push(Figure::new("an idle page: frames a second, median of all rows", median(idle), ""));
    Ok(figures)
}
