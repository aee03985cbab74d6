//! Ten thousand tasks that all report progress, watched as one list.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    let value = |name: &str| measured.median(name);
    Ok(vec![
        Figure::new("a crowd of 10,000 tasks: frames a second", value("listFps")?, "")
            .named("crowd_fps", Some(Goal::AtLeast(50.0))),
        Figure::new("- messages a second", value("listMessagesPerS")?, "")
            .named("crowd_messages_per_s", Some(Goal::AtMost(60.0))),
        Figure::new("- task states that reach the page a second, of 100,000 reports", value("listStatesPerS")?, ""),
        Figure::new(
            "- from stopping all until the list has all reports (at least 200)",
            value("listLastSeenMs")?,
            "ms",
        ),
        Figure::new("- longest gap between frames", value("listGapMs")?, "ms"),
        Figure::new("- processor, app", value("listAppPercent")?, "%"),
        Figure::new("- processor, page", value("listPagePercent")?, "%"),
        Figure::new("- growth of memory, page and app", value("listGrowthMib")?, "MiB"),
        Figure::new("1,000 tasks that emit for each report: frames a second", value("eventsFps")?, ""),
        Figure::new("- events a second, of 10,000", value("eventsMessagesPerS")?, ""),
        Figure::new("- longest gap between frames", value("eventsGapMs")?, "ms"),
        Figure::new("- processor, app", value("eventsAppPercent")?, "%"),
        Figure::new("- processor, page", value("eventsPagePercent")?, "%"),
    ])
}
