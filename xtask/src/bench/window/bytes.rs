//! A stream of bytes, compared with raw messages on a channel.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    let rate = |way: &str| measured.median(&format!("{way}MbPerS"));
    let growth = |way: &str| measured.most(&format!("{way}GrowthMib"));
    let gap = |way: &str| measured.most(&format!("{way}GapMs"));
    Ok(vec![
        Figure::new("bytes(), over raw messages on a Channel", measured.ratio("bytesMbPerS", "channelMbPerS")?, "x")
            .named("bytes_vs_channel", Some(Goal::AtLeast(0.9))),
        Figure::new("- bytes()", rate("bytes")?, "MB/s"),
        Figure::new("- Channel", rate("channel")?, "MB/s"),
        Figure::new("- raw answers of a command, one requested ahead", rate("answers")?, "MB/s"),
        Figure::new("- growth of memory, page and app, bytes()", growth("bytes")?, "MiB"),
        Figure::new("- growth of memory, page and app, Channel", growth("channel")?, "MiB"),
        Figure::new("- longest gap between frames, bytes()", gap("bytes")?, "ms"),
        Figure::new("- longest gap between frames, Channel", gap("channel")?, "ms"),
    ])
}
