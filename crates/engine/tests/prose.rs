//! The engine knows nothing about its delivery layer: no comment and no message uses the words of one.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The words of a delivery layer. A longer name that contains one, such as `tauri-plugin-tasks` or `windows(2)`, is not
/// one of them.
const FOREIGN: [&str; 12] = [
    "tauri",
    "wry",
    "window",
    "windows",
    "webview",
    "webviews",
    "capability",
    "capabilities",
    "permission",
    "permissions",
    "frontend",
    "tauri-plugin-tasks-api",
];

fn is_foreign(word: &str) -> bool {
    let is_constant = word.chars().all(char::is_uppercase);
    !is_constant && FOREIGN.iter().any(|foreign| foreign.eq_ignore_ascii_case(word))
}

/// What is said of an operating system.
const NATIVE: [&str; 2] = ["on Windows", "cfg!(windows)"];

/// Returns the foreign words of `text`, each with the number of its line.
fn foreign_words(text: &str) -> Vec<(usize, String)> {
    let text = NATIVE.iter().fold(text.to_owned(), |text, native| text.replace(native, ""));
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '(');
    let words = text.lines().enumerate().flat_map(|(line, text)| {
        text.split(move |c| !in_word(c)).map(move |word| (line + 1, word.trim_start_matches('(').trim_end_matches('-')))
    });
    words.filter(|(_, word)| is_foreign(word)).map(|(line, word)| (line, word.to_owned())).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn no_sentence_of_the_engine_uses_the_words_of_a_delivery_layer() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 50, "{sources:?}");
    let mut found = Vec::new();
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        found.extend(foreign_words(&text).iter().map(|(line, word)| format!("{}:{line}: {word}", source.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_foreign_word_is_found_in_comments_and_messages() {
    let text = "/// Windows are closed.\n\"add it to the capability, (window \\\"main\\\")\"\n// a `webview`\n";
    let found = [(1, "Windows"), (2, "capability"), (2, "window"), (3, "webview")];
    assert_eq!(foreign_words(text), found.map(|(line, word)| (line, word.to_owned())));
}

#[test]
fn code_and_the_names_of_the_packages_are_not_foreign_words() {
    let text = "use tauri_plugin_tasks::Task;\n// of tauri-plugin-tasks\nconst WINDOW: u8 = 1;\ntimes.windows(2);\n";
    assert_eq!(foreign_words(text), []);
    assert_eq!(foreign_words("// except on Windows\ncfg!(windows)"), []);
}
