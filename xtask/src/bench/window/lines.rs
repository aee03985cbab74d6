//! Lines of a log as a task's items, compared with an event for each line.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    let rate = |way: &str| measured.median(&format!("{way}PerS"));
    let gap = |way: &str| measured.most(&format!("{way}GapMs"));
    let growth = |way: &str| measured.most(&format!("{way}GrowthMib"));
    Ok(vec![
        Figure::new("lines through items(), over emit", rate("items")? / rate("emit")?, "x")
            .named("lines_vs_emit", Some(Goal::AtLeast(60.0))),
        Figure::new("- items(): lines a second", rate("items")?, ""),
        Figure::new("- chunks(): lines a second", rate("chunks")?, ""),
        Figure::new("- Channel::send for each: lines a second", rate("channel")?, ""),
        Figure::new("- emit for each: lines a second", rate("emit")?, ""),
        Figure::new("longest gap between frames, items()", gap("items")?, "ms")
            .named("lines_max_gap_ms", Some(Goal::AtMost(50.0))),
        Figure::new("- chunks()", gap("chunks")?, "ms"),
        Figure::new("- Channel::send for each", gap("channel")?, "ms"),
        Figure::new("- emit for each", gap("emit")?, "ms"),
        Figure::new("growth of memory, page and app, items()", growth("items")?, "MiB")
            .named("lines_growth_mib", Some(Goal::Below(64.0))),
        Figure::new("- chunks()", growth("chunks")?, "MiB"),
        Figure::new("- Channel::send for each", growth("channel")?, "MiB"),
        Figure::new("- emit for each", growth("emit")?, "MiB"),
    ])
}
