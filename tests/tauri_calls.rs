//! Tests that docs/tauri-calls.md lists every call of Tauri that may block, and the file that makes it.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What to look for, and the call as the table names it. In addition, a file that has a `Channel` sends or drops one.
const CALLS: &[(&str, &str)] = &[
    ("ipc::Channel", "Channel::send"),
    ("Channel,", "Channel::send"),
    (".get_webview_window(", "get_webview_window"),
    (".webview_windows(", "webview_windows"),
    (".get_webview(", "get_webview"),
    (".get_window(", "get_window"),
    (".windows(", "windows"),
    (".webviews(", "webviews"),
    (".resources_table(", "resources_table"),
    (".run_on_main_thread(", "run_on_main_thread"),
    ("app.exit(", "exit"),
    ("AppHandle::exit", "exit"),
    (".cleanup_before_exit(", "cleanup_before_exit"),
    (".request_restart(", "request_restart"),
    ("app.restart(", "restart"),
    (".with_webview(", "with_webview"),
    (".window()", "window"),
    (".eval(", "eval"),
    (".eval_with_callback(", "eval"),
    (".emit(", "emit"),
    (".emit_to(", "emit"),
    (".emit_filter(", "emit"),
    (".listen(", "listen"),
    ("webview.url()", "url"),
    ("window.url()", "url"),
    (".navigate(", "navigate"),
    (".reload()", "reload"),
    (".destroy()", "destroy"),
    ("window.close()", "close"),
    ("webview.close()", "close"),
    (".add_capability(", "add_capability"),
    ("WebviewWindowBuilder", "WebviewWindowBuilder"),
    ("WindowBuilder::", "WindowBuilder"),
    ("async_runtime::block_on", "block_on"),
    (".blocking_", "blocking"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            // Tests may wait.
            if name != "tests" && name != "test" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Returns the calls in the source of the plugin, without its comments and unit tests, each with its file.
fn calls_in_source() -> BTreeSet<(String, String)> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 50, "{}", files.len());
    let mut calls = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        let file = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        // A word begins where it is written to begin.
        let begins = |at: usize, text: &str| text.starts_with('.') || !code[..at].ends_with(char::is_alphanumeric);
        let is_there = |text: &str| code.match_indices(text).any(|(at, _)| begins(at, text));
        let found = CALLS.iter().filter(|(text, _)| is_there(text));
        calls.extend(found.map(|(_, call)| ((*call).to_owned(), file.clone())));
    }
    calls
}

/// Returns the calls in the table, each with its file.
fn calls_in_table() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(root().join("docs/tauri-calls.md")).unwrap();
    let in_code = |cell: &str| cell.split('`').nth(1).unwrap().to_owned();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (in_code(cells[1]), in_code(cells[2]))
    })
    .collect()
}

#[test]
fn the_table_lists_the_calls_of_tauri_that_may_block_and_no_others() {
    let (source, table) = (calls_in_source(), calls_in_table());
    let unlisted: Vec<_> = source.difference(&table).collect();
    assert!(unlisted.is_empty(), "may these block where they are? docs/tauri-calls.md doesn't list them: {unlisted:?}");
    let gone: Vec<_> = table.difference(&source).collect();
    assert!(gone.is_empty(), "docs/tauri-calls.md lists calls that are not there: {gone:?}");
}
