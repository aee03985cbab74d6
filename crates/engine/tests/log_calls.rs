//! No call of `tracing` logs a text as it is: names, messages and reasons go through `logged`.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a call may name without `logged`: ids, numbers, durations, words of the code itself, and texts that were put
/// through `logged` in the lines before the call.
const PLAIN: [&str; 34] = [
    "%id",
    "id",
    "id = %attempt.id",
    "id = %first.id",
    "id = %of.1",
    "id = %of.id",
    "id = %record.id",
    "id = %self.id",
    "id = %self.task.1",
    "id = %task.id",
    "awaited_id = %awaited.id",
    "%queued",
    "queued = %full.queued",
    "attempt = attempt.number",
    "status = TaskStatus::Queued.name()",
    "status = TaskStatus::Running.name()",
    "parent: record.span().and_then(|span| span.id())",
    "times.grace",
    "record.kind.policy.grace",
    "SOURCES.join(\" \")",
    "{PATIENCE:?}",
    "{HELD:?}",
    "{delay:?}",
    "{grace:?}",
    "{many}",
    "{}",
    "{:?}",
    "{{",
    "}}",
    // Of the code's own words, and of names that `logged` has returned.
    "{why}",
    "{fact}",
    "{consequence}",
    "{also}",
    "{remedy}",
];

/// Names that are bound to what `logged` or a function of such names has returned, where the file says so.
const BOUND: [(&str, &str); 12] = [
    ("task", "logged("),
    ("{task}", "logged("),
    ("{command}", "logged("),
    ("{name}", "logged("),
    ("{error}", "logged("),
    ("{problem}", "logged("),
    ("awaited = name", "logged("),
    ("names(&holders)", "logged(task.name())"),
    ("self.consequence(of, &name, full)", "logged(of.name())"),
    ("{limit}", "logged(kind)"),
    ("{who}", "logged("),
    ("{before}", "logged("),
];

/// Returns what each call of a macro of `tracing` is given, without what is fine: static text, and what `logged` returns.
fn foreign(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let calls = ["error!(", "warn!(", "info!(", "debug!(", "trace!(", "event!(", "span!("];
    let begins = code.match_indices("tracing::").filter_map(|(at, path)| {
        let rest = &code[at + path.len()..];
        let open = rest.find('(')? + 1;
        calls.iter().any(|call| rest[..open].ends_with(call)).then(|| &rest[open..])
    });
    let parts = begins
        .flat_map(arguments)
        .flat_map(|argument| if argument.starts_with('"') { placeholders(&argument) } else { vec![argument] });
    let is_bound = |part: &str| BOUND.iter().any(|(name, by)| *name == part && code.contains(by));
    let is_logged = |part: &str| part.split_once(" = ").map_or(part, |(_, value)| value).starts_with("logged(");
    parts.filter(|part| !PLAIN.contains(&&**part) && !is_bound(part) && !is_logged(part)).collect()
}

/// Splits the arguments of a call, which end at the first `)` that closes nothing.
fn arguments(call: &str) -> Vec<String> {
    let (mut arguments, mut argument, mut depth) = (Vec::new(), String::new(), 0_u32);
    let mut characters = call.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                argument.push('"');
                while let Some(character) = characters.next() {
                    argument.push(character);
                    match character {
                        '\\' => argument.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                continue;
            }
            ')' | ']' | '}' if depth == 0 => break,
            ',' if depth == 0 => {
                arguments.push(std::mem::take(&mut argument));
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        argument.push(character);
    }
    arguments.push(argument);
    arguments.into_iter().map(|argument| argument.trim().to_owned()).filter(|argument| !argument.is_empty()).collect()
}

fn placeholders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let length = if rest[open..].starts_with("{{") { 1 } else { rest[open..].find('}').unwrap() };
        found.push(rest[open..=open + length].to_owned());
        rest = &rest[open + length + 1..];
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_code = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rs") && path.file_name().unwrap() != "tests.rs"
    };
    entries
        .flat_map(|path| match path.is_dir() {
            true if path.file_name().unwrap() == "tests" || path.file_name().unwrap() == "test" => Vec::new(),
            true => sources(&path),
            false => vec![path],
        })
        .filter(is_code)
        .collect()
}

#[test]
fn no_call_of_tracing_logs_a_text_as_it_is() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut calls = 0;
    for folder in ["src", "../../src", "../specta/src"] {
        let sources = sources(&engine.join(folder));
        assert!(sources.len() > 5, "{folder}: {sources:?}");
        for source in sources {
            let text = fs::read_to_string(&source).unwrap();
            calls += text.matches("tracing::").count();
            found.extend(foreign(&text).into_iter().map(|part| format!("{}: {part}", source.display())));
        }
    }
    assert!(calls > 30, "{calls}");
    assert!(found.is_empty(), "put it through `logged`, or add it to the lists here:\n{}", found.join("\n"));
}

#[test]
fn a_text_that_is_logged_as_it_is_is_found() {
    let found = |source: &str| foreign(source);
    assert_eq!(
        found(r#"tracing::warn!(task = record.name(), %id, "no ({}): {error}", x.join(", "));"#),
        ["task = record.name()", "{error}", "x.join(\", \")",]
    );
    assert_eq!(found(r#"tracing::debug_span!("task", kind = &*kind.name, %id)"#), ["kind = &*kind.name"]);
    assert_eq!(found(r#"let error = logged(error); tracing::warn!("\"{error}\": {}", logged(why));"#), [""; 0]);
    assert_eq!(found(r#"tracing::warn!("\"{error}\"")"#), ["{error}"]);
}
