//! Tests that docs/tauri-calls.md lists every call of Tauri that may block, and the file that makes it.

#![allow(clippy::unwrap_used)]
// What fails here fails the test.

// It asks Cargo for the source of Tauri, which a test program for Windows that runs elsewhere does not have.
#![cfg(unix)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What to look for besides [the methods](methods) that ask the event loop, and the call as the table names it. In addition, a
/// file that has a `Channel` sends or drops one.
const CALLS: &[(&str, &str)] = &[
    ("ipc::Channel", "Channel::send"),
    ("Channel,", "Channel::send"),
    (".window()", "window"),
    ("app.restart(", "restart"),
    (".cleanup_before_exit(", "cleanup_before_exit"),
    ("WebviewWindowBuilder", "WebviewWindowBuilder"),
    ("WindowBuilder::", "WindowBuilder"),
    ("WebviewBuilder::", "WebviewBuilder"),
    ("async_runtime::block_on", "block_on"),
    (".blocking_", "blocking"),
];

/// Where Tauri's methods are that may block: the file, what their part of it begins with, and what the code of such a method
/// says. In traits, all of them may.
const SOURCES: &[(&str, &str, &str)] = &[
    ("window/mod.rs", "impl<R: Runtime> Window<R> {", ".dispatcher"),
    ("webview/mod.rs", "impl<R: Runtime> Webview<R> {", ".dispatcher"),
    ("app.rs", "impl<R: Runtime> AppHandle<R> {", "runtime_handle"),
    ("app.rs", "macro_rules! shared_app_impl {", "self.runtime()"),
    ("lib.rs", "pub trait Manager<R: Runtime>", ""),
    ("lib.rs", "pub trait Listener<R: Runtime>", ""),
    ("lib.rs", "pub trait Emitter<R: Runtime>", ""),
];

/// Methods of these files that don't block: docs/tauri-calls.md says why.
const HARMLESS: &[&str] = &["app_handle", "config", "manage", "state"];

/// What looks like such a method in the source and is none.
const NAMESAKES: &[&str] = &[
    ".position(|",
    "load.url()",
    "url.path()",
    "core.exit(",
    "self.close(departure",
    "session.close(departure",
    "readers.close(departure",
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

/// Runs a command and returns what it prints.
fn printed(program: &str, arguments: &[&str]) -> String {
    let program = std::env::var(program.to_uppercase()).unwrap_or_else(|_| program.to_owned());
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the folder with the source of the Tauri that this is built with.
fn tauri() -> PathBuf {
    let version = printed("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // The packages of other platforms need not be there.
    let metadata = ["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host];
    let metadata: Value = serde_json::from_str(&printed("cargo", &metadata)).unwrap();
    let tauri = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "tauri").unwrap();
    Path::new(tauri["manifest_path"].as_str().unwrap()).with_file_name("src")
}

/// Returns the names of Tauri's methods that may block, as its source tells: those that ask the event loop, which is on the main
/// thread, and those that look for windows, emit or listen.
fn methods() -> BTreeSet<String> {
    let tauri = tauri();
    let mut names = BTreeSet::new();
    for (file, begin, marker) in SOURCES {
        let text = fs::read_to_string(tauri.join(file)).unwrap();
        assert!(text.contains(begin), "Tauri's {file} has no {begin}: look for what takes its place");
        for part in text.split(begin).skip(1) {
            let (part, _) = part.split_once("\n}\n").unwrap();
            let methods = parts_of_methods(part).into_iter().filter(|(_, code)| code.contains(marker));
            names.extend(methods.map(|(name, _)| name));
        }
    }
    names.retain(|name| !HARMLESS.contains(&name.as_str()));
    names
}

/// Returns the methods in a block, each with its code and what follows it.
fn parts_of_methods(block: &str) -> Vec<(String, String)> {
    let code = block.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let is_declared = |at: usize| code[..at].ends_with(['\n', ' ']);
    let begins: Vec<_> = code.match_indices("fn ").map(|(at, _)| at).filter(|at| is_declared(*at)).collect();
    let ends = begins.iter().skip(1).copied().chain([code.len()]);
    let methods = begins.iter().zip(ends).map(|(begin, end)| &code[begin + "fn ".len()..end]);
    let name = |code: &str| code.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    methods.map(|method| (name(method), method.to_owned())).collect()
}

/// Returns the code of the plugin, without its comments and unit tests, by file.
fn code() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 50, "{}", files.len());
    let code_of = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("mod tests {").next().unwrap();
        let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    files.into_iter().map(code_of).collect()
}

/// Whether the code has such a call. A word begins where it is written to begin.
fn has(code: &str, text: &str) -> bool {
    let begins = |at: usize| text.starts_with('.') || !code[..at].ends_with(char::is_alphanumeric);
    code.match_indices(text).any(|(at, _)| begins(at))
}

/// Whether the code calls a method of this name, or takes it by its path from a type or a trait of Tauri's.
fn calls(code: &str, method: &str) -> bool {
    let types = ["Window", "Webview", "AppHandle", "App", "Manager", "Emitter", "Listener"];
    let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    let by_path = |of: &str| {
        let path = format!("{of}::{method}");
        let generic = format!("{of}::<R>::{method}");
        [path, generic].iter().any(|path| code.match_indices(path).any(|(at, _)| ends(&code[at + path.len()..])))
    };
    code.contains(&format!(".{method}(")) || types.into_iter().any(by_path)
}

/// Returns the calls in the source of the plugin, each with its file.
fn calls_in_source() -> BTreeSet<(String, String)> {
    let methods = methods();
    let mut calls = BTreeSet::new();
    for (file, mut code) in code() {
        for namesake in NAMESAKES {
            code = code.replace(namesake, "");
        }
        let listed = CALLS.iter().filter(|(text, _)| has(&code, text)).map(|(_, call)| (*call).to_owned());
        let derived = methods.iter().filter(|method| self::calls(&code, method)).cloned();
        calls.extend(listed.chain(derived).map(|call| (call, file.clone())));
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

#[test]
fn the_methods_are_those_of_windows_webviews_and_apps_that_may_block() {
    let methods = methods();
    for method in [
        "inner_size",
        "url",
        "title",
        "set_title",
        "set_position",
        "is_visible",
        "eval",
        "navigate",
        "reload",
        "cookies",
        "close",
        "destroy",
        "with_webview",
        "emit",
        "emit_to",
        "emit_filter",
        "listen",
        "get_webview_window",
        "get_webview",
        "get_window",
        "webview_windows",
        "webviews",
        "windows",
        "resources_table",
        "add_capability",
        "run_on_main_thread",
        "exit",
        "request_restart",
        "available_monitors",
        "cursor_position",
        "set_theme",
    ] {
        assert!(methods.contains(method), "{method}: {methods:?}");
    }
    for harmless in ["label", "app_handle", "state"] {
        assert!(!methods.contains(harmless), "{harmless}");
    }
    assert!((120..250).contains(&methods.len()), "{}: {methods:?}", methods.len());
}

#[test]
fn a_call_is_found_however_it_is_written() {
    for code in [
        "window.inner_size()",
        "w\n.inner_size()",
        "map(Window::inner_size)",
        "WebviewWindow::inner_size(&it)",
        "Window::<R>::inner_size(it)",
        "tauri::Webview::inner_size",
    ] {
        assert!(calls(code, "inner_size"), "{code}");
    }
    for code in ["self.inner_size_of()", "inner_size(window)", "Window::inner_sizes", "Size::inner_size(it)"] {
        assert!(!calls(code, "inner_size"), "{code}");
    }
}

#[test]
fn each_namesake_is_in_the_source_and_what_is_harmless_is_in_the_document() {
    let code = code().into_values().collect::<String>();
    let gone: Vec<_> = NAMESAKES.iter().filter(|namesake| !code.contains(**namesake)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    let document = fs::read_to_string(root().join("docs/tauri-calls.md")).unwrap();
    let (_, harmless) = document.split_once("What doesn't: ").unwrap();
    let untold: Vec<_> = HARMLESS.iter().filter(|method| !harmless.contains(&format!("`{method}`"))).collect();
    assert!(untold.is_empty(), "{untold:?}");
}
