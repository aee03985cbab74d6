//! The window part of `cargo xtask bench`, compiled only with the feature `bench`: a page of its own instead of the
//! workbench's, kinds of task that do nothing but deliver, and next to each the same work done as tutorials do it.
//!
//! The page (`../../src/bench`) measures; like here, it has one file for each row. For more, see `BENCHMARKS.md`.

mod bytes;
mod crowd;
mod flood;
mod isolated;
mod latency;
mod lines;
mod processes;
mod start;

use std::{io::Write as _, sync::Arc};

use tauri::{AppHandle, Context, Manager, WebviewUrl};

use processes::Processes;

/// The variable with the rows to measure, separated by commas. Without it, the program runs as the workbench.
const ROWS: &str = "WORKBENCH_BENCH";

/// Returns whether rows are to be measured.
pub(crate) fn is_asked() -> bool {
    std::env::var_os(ROWS).is_some()
}

/// Opens the page, which measures the rows, prints the measurements on standard output, and quits.
pub(crate) fn run(mut context: Context) -> tauri::Result<()> {
    let config = context.config_mut();
    // The windows get another label, so that none of the workbench's own capabilities apply.
    for window in &mut config.app.windows {
        "bench".clone_into(&mut window.label);
        window.url = WebviewUrl::App("bench.html".into());
    }
    if rows().iter().any(|row| row == "latency") {
        isolated::serve(&mut context)?;
    }
    let crowd = Arc::new(crowd::Crowd::default());
    let tasks = crate::kinds::tasks();
    let tasks = lines::register(tasks);
    let tasks = bytes::register(tasks);
    let tasks = flood::register(tasks);
    let tasks = crowd::register(tasks, &crowd);
    let tasks = start::register(tasks);
    let tasks = latency::register(tasks);
    tauri::Builder::default()
        .plugin(tasks.build())
        .manage(crowd)
        .manage(Processes::default())
        .invoke_handler(tauri::generate_handler![
            rows,
            note,
            done,
            failed,
            processes::watch_processes,
            processes::processes,
            lines::emit_lines,
            lines::send_lines,
            bytes::send_bytes,
            bytes::answer_bytes,
            flood::send_reports,
            flood::emit_reports,
            crowd::crowd_begin,
            crowd::crowd_stop,
            crowd::crowd_end,
            crowd::emit_crowd,
            start::empty_invoke,
            start::empty_invoke_main,
            latency::send_pulses,
            latency::clock,
        ])
        .setup(|app| Ok(app.add_capability(include_str!("capability.json"))?))
        .run(context)
}

/// Returns the rows that the page is to measure.
#[tauri::command]
fn rows() -> Vec<String> {
    let rows = std::env::var(ROWS).unwrap_or_default();
    rows.split(',').map(str::trim).filter(|row| !row.is_empty()).map(str::to_owned).collect()
}

/// Prints what the page is doing, on standard error.
#[tauri::command]
fn note(text: &str) {
    eprintln!("  {text}");
}

/// Prints what was measured, and quits.
#[tauri::command]
fn done(app: AppHandle, measured: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{measured}").and_then(|()| output.flush()).map_err(|error| error.to_string())?;
    app.exit(0);
    Ok(())
}

/// Prints why the page can't measure, and quits.
#[tauri::command]
fn failed(app: AppHandle, message: &str) {
    eprintln!("The page can't measure: {message}");
    app.exit(1);
}
