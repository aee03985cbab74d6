//! The start of an empty task, compared with the call of an empty command.

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
        Figure::new(
            "- tasks that had ended in the answer to their start",
            measured.median("endedInAnswer")? * 100.0,
            "%",
        ),
        Figure::new("- the invoke of an async command, as the plugin's are", measured.median("invokeMs")?, "ms"),
        Figure::new("- the invoke of a command on the main thread", measured.median("mainThreadMs")?, "ms"),
    ])
}
