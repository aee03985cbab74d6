//! The engine part, measured by the benches `engine`, `growth` and `queued_bytes` in `crates/engine/benches`.

use std::collections::HashMap;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::criterion;
use super::figure::{Figure, Goal};
use super::statistics::median;
use crate::command::command;

/// How often all benches are run. Each ratio compares two medians of the same round, so that other load on the machine affects
/// both.
const ROUNDS: usize = 3;

const ONE_TOKIO: &str = "start/one-by-one-tokio";
const ONE_TASK: &str = "start/one-by-one-task";
const OUTSIDE_TOKIO: &str = "start/from-outside-tokio";
const OUTSIDE_TASK: &str = "start/from-outside-task";
const MANY_TOKIO: &str = "start/many-tokio";
const MANY_TASK: &str = "start/many-task";
const ATOMIC: &str = "progress/atomic";
const INC: &str = "progress/inc";
const CANCEL: &str = "cancel/10000-running";
const PASS_FEW: &str = "admission/pass-1000";
const MOVE_FEW: &str = "admission/move-1000";
const PASS_MOST: &str = "admission/pass-100000";
const MOVE_MOST: &str = "admission/move-100000";
const BENCHES: [&str; 13] = [
    ONE_TOKIO,
    ONE_TASK,
    OUTSIDE_TOKIO,
    OUTSIDE_TASK,
    MANY_TOKIO,
    MANY_TASK,
    ATOMIC,
    INC,
    CANCEL,
    PASS_FEW,
    MOVE_FEW,
    PASS_MOST,
    MOVE_MOST,
];

/// How many tasks one iteration of the benches `start/many-*` starts.
const MANY: f64 = 1_000.0;
/// How many tasks one iteration of the benches `admission/pass-*` starts.
const PASSING: f64 = 500.0;

const MICROSECOND: f64 = 1e3;
const MILLISECOND: f64 = 1e6;

pub fn measure() -> Result<Vec<Figure>> {
    eprintln!("Measuring memory");
    // The larger figure of the two lengths of the queue.
    let queued_bytes = largest_printed("queued_bytes", "queued_bytes ")?;
    eprintln!("Measuring what four times as many tasks take");
    let growth_of_four = largest_printed("growth", "growth of ")?;
    let rounds: Vec<_> = (1..=ROUNDS).map(round).collect::<Result<_>>()?;
    let time = |bench, unit| median(rounds.iter().map(|round| round[bench] / unit));
    let ratio = |bench, to| median(rounds.iter().map(|round| round[bench] / round[to]));

    let (one, many) = (ratio(ONE_TASK, ONE_TOKIO), ratio(MANY_TASK, MANY_TOKIO));
    let inc = time(INC, 1.0);
    let growth = ratio(PASS_MOST, PASS_FEW);
    Ok(vec![
        Figure::new("an empty task from start to end, over tokio::spawn", one.max(many), "x")
            .named("start_vs_tokio", Some(Goal::AtMost(4.0))),
        Figure::new("- one by one", one, "x"),
        Figure::new("- one by one: the task", time(ONE_TASK, MICROSECOND), "µs"),
        Figure::new("- 1,000 at a time", many, "x"),
        Figure::new("- 1,000 at a time: each task", time(MANY_TASK, MANY * MICROSECOND), "µs"),
        Figure::new("- one by one, from a thread outside the runtime", ratio(OUTSIDE_TASK, OUTSIDE_TOKIO), "x"),
        Figure::new("memory of a queued task, without its input", queued_bytes, "bytes")
            .named("queued_bytes", Some(Goal::Below(1_024.0))),
        Figure::new("progress().inc(1)", inc, "ns").named("inc_ns", Some(Goal::Below(10.0))),
        Figure::new("- over one atomic addition", ratio(INC, ATOMIC), "x"),
        Figure::new("10,000 running tasks, from cancel_all to the last end", time(CANCEL, MILLISECOND), "ms")
            .named("cancel_10k_ms", None),
        Figure::new("a task queued before 100,000 others, over one before 1,000", growth, "x")
            .named("admission_growth", Some(Goal::AtMost(1.5))),
        Figure::new("- before 1,000: each task", time(PASS_FEW, PASSING * MICROSECOND), "µs"),
        Figure::new("- a new priority for one of 100,000, over one of 1,000", ratio(MOVE_MOST, MOVE_FEW), "x"),
        Figure::new("four times as many tasks, whatever is done with them", growth_of_four, "x")
            .named("growth_of_four", Some(Goal::AtMost(12.0))),
    ])
}

/// Runs all benches once, and returns the median of each in nanoseconds.
fn round(number: usize) -> Result<HashMap<&'static str, f64>> {
    eprintln!("Measuring times, round {number} of {ROUNDS}");
    BENCHES.into_iter().for_each(criterion::forget);
    let status =
        command("cargo bench --package tauri-plugin-tasks-engine --bench engine").stdout(std::io::stderr()).status()?;
    ensure!(status.success(), "crates/engine/benches/engine.rs failed ({status})");
    BENCHES.into_iter().map(|bench| Ok((bench, criterion::median(bench)?))).collect()
}

/// Runs a bench that prints lines of the form `{prefix}{what}: {figure}`. Returns the largest figure.
fn largest_printed(bench: &str, prefix: &str) -> Result<f64> {
    let mut program = command(&format!("cargo bench --package tauri-plugin-tasks-engine --bench {bench}"));
    let output = program.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "crates/engine/benches/{bench}.rs failed ({})", output.status);
    let text = String::from_utf8(output.stdout)?;
    eprint!("{text}");
    let figures = text.lines().filter_map(|line| line.strip_prefix(prefix)?.rsplit_once(": "));
    let figures: Vec<f64> = figures.map(|(_, figure)| figure.parse()).collect::<Result<_, _>>()?;
    figures.into_iter().reduce(f64::max).with_context(|| format!("crates/engine/benches/{bench}.rs printed no figure"))
}
