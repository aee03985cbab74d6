//! Progress that is reported as fast as a thread can report it.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    let most = ["once", "long", "words"].map(|way| measured.most(&format!("{way}MostMessagesInASecond")));
    let seen = ["once", "long", "words"].map(|way| measured.median(&format!("{way}LastSeen")));
    let most = most.into_iter().collect::<Result<Vec<_>>>()?.into_iter().fold(0.0, f64::max);
    let seen = seen.into_iter().collect::<Result<Vec<_>>>()?.into_iter().fold(1.0, f64::min);
    let value = |name: &str| measured.median(name);
    Ok(vec![
        Figure::new("a flood of progress: messages to the page, the most in a second", most, "")
            .named("flood_messages_per_s", Some(Goal::AtMost(60.0))),
        Figure::new("- whether the last value was always seen (1) or not (0)", seen, "")
            .named("flood_last_value_seen", Some(Goal::AtLeast(1.0))),
        Figure::new("- inc(1): each report", value("longNsEach")?, "ns"),
        Figure::new("- inc(1), ten million times: all of it", value("onceSeconds")? * 1e3, "ms"),
        Figure::new("- message() and inc(1): each report", value("wordsNsEach")?, "ns"),
        Figure::new("- longest gap between frames, inc(1)", value("longGapMs")?, "ms"),
        Figure::new("- longest gap between frames, message() and inc(1)", value("wordsGapMs")?, "ms"),
        Figure::new("- Channel::send, 100,000 times: each report", value("channelNsEach")?, "ns"),
        Figure::new("- Channel::send, 100,000 times: longest gap between frames", value("channelGapMs")?, "ms"),
        Figure::new("- emit, 100,000 times: each report", value("emitNsEach")?, "ns"),
        Figure::new("- emit, 100,000 times: longest gap between frames", value("emitGapMs")?, "ms"),
        Figure::new("- emit, 100,000 times: until the page has seen the last", value("emitSeconds")? * 1e3, "ms"),
    ])
}
