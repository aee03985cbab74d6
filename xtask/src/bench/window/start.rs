//! A task that has nothing to do, beside a command that has nothing to do.

use anyhow::Result;

use super::measured::Measured;
use crate::bench::figure::{Figure, Goal};

pub fn figures(measured: &Measured) -> Result<Vec<Figure>> {
    Ok(vec![
        Figure::new(
            "an empty task from start to result, over an empty invoke",
            measured.ratio("taskMs", "invokeMs")?,
            "x",
        )
        .named("start_vs_invoke", Some(Goal::AtMost(1.5))),
        Figure::new("- the task", measured.median("taskMs")?, "ms"),
        Figure::new("- tasks whose end came with the answer", measured.median("endedInAnswer")? * 100.0, "%"),
        Figure::new("- the invoke, async as the plugin's commands are", measured.median("invokeMs")?, "ms"),
        Figure::new("- an invoke on the main thread", measured.median("mainThreadMs")?, "ms"),
    ])
}
