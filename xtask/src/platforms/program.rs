//! The programs that Cargo has built, and what test programs say at their end.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A program that Cargo has built. The paths are those in the Debian.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    pub path: String,
    /// The folder of its package, in which Cargo would run it.
    pub folder: String,
    /// Whether it runs tests. An example doesn't.
    pub is_test: bool,
}

/// Reads the lines of JSON that Cargo prints. Leaves out benches and build scripts, and what an earlier line has named: Cargo builds the
/// tests of a library also with its benches.
pub fn programs(messages: &str) -> Result<Vec<Program>> {
    let mut programs = vec![];
    for program in values(messages)?.iter().filter_map(program) {
        if !programs.contains(&program) {
            programs.push(program);
        }
    }
    Ok(programs)
}

/// Reads from the same lines in which folders the libraries are that the programs load when they start. `cargo test` adds these folders
/// to the search path.
pub fn library_folders(messages: &str) -> Result<Vec<String>> {
    let values = values(messages)?;
    let paths = values.iter().filter_map(|message| message["linked_paths"].as_array()).flatten();
    let paths = paths.filter_map(Value::as_str);
    Ok(paths.map(|path| path.split_once('=').map_or(path, |(_, path)| path).to_owned()).collect())
}

fn values(messages: &str) -> Result<Vec<Value>> {
    let lines = messages.lines().filter(|line| line.starts_with('{'));
    lines.map(serde_json::from_str).collect::<Result<_, _>>().context("reading Cargo's messages")
}

fn program(message: &Value) -> Option<Program> {
    let path = message["executable"].as_str()?;
    let kinds: Vec<_> = message["target"]["kind"].as_array()?.iter().filter_map(Value::as_str).collect();
    if kinds.contains(&"bench") || kinds.contains(&"custom-build") {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_str()?;
    Some(Program {
        name: message["target"]["name"].as_str()?.to_owned(),
        path: path.to_owned(),
        folder: folder.to_owned(),
        is_test: message["profile"]["test"].as_bool()?,
    })
}

/// Returns how many tests a program has run, all of which have passed. Fails if it says of none, or that one has failed.
pub fn passed(text: &str) -> Result<usize> {
    let results = text.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
    let results: Vec<_> = results.collect();
    ensure!(!results.is_empty(), "it ended without a result");
    let counts =
        results.iter().map(|result| result.strip_prefix("ok. ")?.split_once(" passed")?.0.parse::<usize>().ok());
    let counts: Option<Vec<usize>> = counts.collect();
    let passed = counts.with_context(|| format!("its result is {:?}", results.join(", ")))?.iter().sum();
    ensure!(passed > 0, "it ran no test");
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_and_examples_are_read_from_the_messages_of_cargo() {
        let messages = r#"
{"reason":"compiler-artifact","manifest_path":"/project/Cargo.toml","target":{"kind":["lib"],"name":"a"},"profile":{"test":true},"executable":"/target/deps/a-1.exe"}
{"reason":"compiler-artifact","manifest_path":"/project/Cargo.toml","target":{"kind":["lib"],"name":"a"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/project/b/Cargo.toml","target":{"kind":["example"],"name":"c"},"profile":{"test":false},"executable":"/target/c.exe"}
{"reason":"compiler-artifact","manifest_path":"/project/b/Cargo.toml","target":{"kind":["bench"],"name":"d"},"profile":{"test":true},"executable":"/target/d.exe"}
{"reason":"build-finished","success":true}
{"reason":"compiler-artifact","manifest_path":"/project/Cargo.toml","target":{"kind":["lib"],"name":"a"},"profile":{"test":true},"executable":"/target/deps/a-1.exe"}
"#;
        let program = |name: &str, path: &str, folder: &str, is_test| Program {
            name: name.to_owned(),
            path: path.to_owned(),
            folder: folder.to_owned(),
            is_test,
        };
        let expected = [
            program("a", "/target/deps/a-1.exe", "/project", true),
            program("c", "/target/c.exe", "/project/b", false),
        ];
        assert_eq!(programs(messages).unwrap(), expected);
        assert!(programs("{\"reason\"").is_err());
    }

    #[test]
    fn the_folders_of_libraries_are_read_from_the_messages_of_build_scripts() {
        let messages = r#"
{"reason":"build-script-executed","package_id":"a","linked_libs":[],"linked_paths":["native=/target/a/out/x64","/target/b"],"cfgs":[]}
{"reason":"build-script-executed","package_id":"c","linked_libs":[],"linked_paths":[],"cfgs":[]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(library_folders(messages).unwrap(), ["/target/a/out/x64", "/target/b"]);
    }

    #[test]
    fn the_tests_that_passed_are_counted() {
        let line = |result: &str, passed, failed| {
            format!(
                "test result: {result}. {passed} passed; {failed} failed; 1 ignored; 0 measured; 0 filtered out\r\n"
            )
        };
        assert_eq!(passed(&(line("ok", 12, 0) + "\n" + &line("ok", 3, 0))).unwrap(), 15);
        for (text, expected) in [
            (String::new(), "without a result"),
            ("running 3 tests\ntest a ... ok".to_owned(), "without a result"),
            (line("ok", 0, 0), "no test"),
            (line("FAILED", 3, 1), "3 passed; 1 failed"),
            (line("ok", 3, 0) + &line("FAILED", 3, 1), "3 passed; 1 failed"),
        ] {
            let error = passed(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
