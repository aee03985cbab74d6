//! Breaks the engine on purpose, one promise at a time, and looks whether the tests see it.
//!
//! This happens in a copy under `target/xtask/mutants`; the work tree is not touched. The copy has versions of its own
//! and so its own build results, but shares those of all dependencies: its packages are the same ones with the same
//! features. Those that only use the plugin are empty there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output as Finished;

use anyhow::{Context, Result, ensure};

use crate::build::WORKSPACE;
use crate::command::{Output, command, root, stdout, target};
use crate::setup;

/// What nextest exits with when tests have failed; anything else is not what is looked for.
const TESTS_FAILED: i32 = 100;
/// Where the mutations are. All packages are named to Cargo here too, but only the tests of this one are of interest.
const PACKAGE: &str = "package(tauri-plugin-tasks)";
/// Those of its tests that must pass while nothing is broken.
const WHOLE: &str = "test(/^engine::tests::/)";
const MODEL: &str = "test(/^engine::tests::model::/)";

/// One way to break the engine.
struct Mutation {
    /// What is wrong then.
    name: &'static str,
    file: &'static str,
    /// Is in the file once.
    find: &'static str,
    replace: &'static str,
    /// A filter of nextest: one of these tests must fail.
    seen_by: &'static str,
}

const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "a lost slot",
        file: "src/engine/record.rs",
        find: "self.hub.admission.lock().leave(self.id);",
        replace: "if state.life.status() != TaskStatus::Failed {\n            self.hub.admission.lock().leave(self.id);\n        }",
        seen_by: MODEL,
    },
    Mutation {
        name: "a second end",
        file: "src/engine/life.rs",
        find: "if self.status.is_final() {\n            return Err(self.status);",
        replace: "if self.status == TaskStatus::Failed {\n            return Err(self.status);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a status after the end",
        file: "src/engine/life.rs",
        find: "self.overdue = false;\n        self.become_(status, at);",
        replace: "self.overdue = false;\n        self.become_(status, at);\n        self.record(at);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a queue that forgets who comes back",
        file: "src/engine/admission.rs",
        find: "(entry.place == Place::Away).then_some(Entry { place: Place::Waiting, ..entry })",
        replace: "(entry.place == Place::Away).then_some(entry)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a retry that keeps its slot",
        file: "src/engine/record.rs",
        find: "self.hub.admission.lock().step_back(self.id);",
        replace: "self.hub.admission.lock().waits(self.id);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a limit that counts one too many",
        file: "src/engine/admission.rs",
        find: "self.limit.is_none_or(|limit| self.running < limit)",
        replace: "self.limit.is_none_or(|limit| self.running <= limit)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a priority that counts only among the equally old",
        file: "src/engine/admission.rs",
        find: "    priority: Reverse<i32>,\n    arrival: u64,\n",
        replace: "    arrival: u64,\n    priority: Reverse<i32>,\n",
        seen_by: MODEL,
    },
    Mutation {
        name: "a key that is never handed on",
        file: "src/engine/scheduler.rs",
        find: "admission.release(next, Hold::Key);",
        replace: "admission.waits(next);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a hold that does not hold",
        file: "src/engine/scheduler.rs",
        find: "admission.hold(record.id, Hold::User)",
        replace: "admission.waits(record.id)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a cancelled task that stays in the queue",
        file: "src/engine/record.rs",
        find: "now.is_final().then(|| self.close(&mut state))",
        replace: "now.is_final().then(|| std::mem::replace(&mut state.running, Running::none()))",
        seen_by: MODEL,
    },
    Mutation {
        name: "overdue, and never shown",
        file: "src/engine/clocks.rs",
        find: "record.outstay();",
        replace: "drop(record);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a stall that nobody notices",
        file: "src/engine/clocks.rs",
        find: "if record.take_touched() { Duration::ZERO } else { silent + step }",
        replace: "if record.take_touched() { silent + step } else { Duration::ZERO }",
        seen_by: MODEL,
    },
    Mutation {
        name: "a time limit that takes a cancel's place",
        file: "src/engine/life.rs",
        find: "if self.status == TaskStatus::Cancelling {\n            return Ok(());",
        replace: "if self.status == TaskStatus::Cancelling {\n            self.stop = Some(Box::new(why));\n            return Ok(());",
        seen_by: MODEL,
    },
    Mutation {
        name: "an end that comes before the newest progress",
        file: "src/engine/record/cursor.rs",
        find: "Some((_, status)) if !(status.is_final() && progress_due) => {",
        replace: "Some((_, status)) => {",
        seen_by: "test(/^engine::tests::(batch|model)::/)",
    },
    Mutation {
        name: "a batch that its members outlive",
        file: "src/engine/record.rs",
        find: "self.state.lock().batch = Some(batch);",
        replace: "drop(batch);",
        seen_by: "test(/^engine::tests::(batch|model)::/)",
    },
];

/// Fails if a mutation survives.
pub fn run(output: &Output) -> Result<()> {
    let copy = target().join("xtask/mutants");
    sync(&copy)?;
    for mutation in MUTATIONS {
        mutation.apply(&fs::read_to_string(copy.join(mutation.file))?)?;
    }
    output.announce("in a copy")?;
    let whole = tests(&copy, WHOLE, output)?;
    ensure!(whole.status.success(), "{}\n\nthe tests fail on the engine as it is", text(&whole));
    let mut survived = vec![];
    for mutation in MUTATIONS {
        let file = copy.join(mutation.file);
        let original = fs::read_to_string(&file)?;
        fs::write(&file, mutation.apply(&original)?)?;
        let result = tests(&copy, mutation.seen_by, output);
        fs::write(&file, original)?;
        let result = result?;
        match result.status.code() {
            Some(0) => survived.push(mutation.name),
            Some(TESTS_FAILED) => {}
            _ => anyhow::bail!("{}\n\n\"{}\" can't be tried: nextest {}", text(&result), mutation.name, result.status),
        }
        output.note(&format!("{}: {}", mutation.name, seen_by(&text(&result))))?;
    }
    ensure!(survived.is_empty(), "no test sees: {}", survived.join(", "));
    Ok(())
}

impl Mutation {
    fn apply(&self, original: &str) -> Result<String> {
        let count = original.matches(self.find).count();
        ensure!(
            count == 1,
            "the mutation \"{}\" no longer applies: its text is in {} {count} times, and must be there once",
            self.name,
            self.file
        );
        Ok(original.replacen(self.find, self.replace, 1))
    }
}

/// Runs those tests of the copy.
fn tests(copy: &Path, filter: &str, output: &Output) -> Result<Finished> {
    let mut nextest = setup::nextest(output)?;
    nextest.args(WORKSPACE.split(' ')).args(["--offline", "--lib", "--color", "never"]);
    nextest.args(["--filterset", &format!("{PACKAGE} and {filter}")]);
    nextest.current_dir(copy).env("CARGO_TARGET_DIR", target()).env("RUST_BACKTRACE", "0");
    // That a test fails is enough; the shortest way to make it is not looked for.
    nextest.env("PROPTEST_MAX_SHRINK_ITERS", "0");
    nextest.output().context("nextest could not be started")
}

fn text(finished: &Finished) -> String {
    [&finished.stdout, &finished.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// The names of the tests that failed, from nextest's report.
fn seen_by(report: &str) -> String {
    let failed = report.lines().filter(|line| ["FAIL [", "TIMEOUT ["].iter().any(|word| line.trim().starts_with(word)));
    let mut names: Vec<_> = failed.filter_map(|line| line.split_whitespace().last()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "SURVIVES".to_owned() } else { format!("seen by {}", names.join(", ")) }
}

/// Makes the copy as the work tree is. What has not changed stays as it is, so that little is built.
fn sync(copy: &Path) -> Result<()> {
    let listed = stdout(&mut command("git ls-files --cached --others --exclude-standard"));
    let listed = listed.context("`git ls-files` failed: mutations are tried in a copy of what it lists")?;
    let mut wanted = BTreeMap::new();
    for path in listed.lines() {
        // What was deleted is still listed, and a quoted name is none of ours.
        if let Ok(bytes) = fs::read(root().join(path)) {
            wanted.extend(copied(path, bytes, &packages(&listed)).map(|bytes| (copy.join(path), bytes)));
        }
    }
    for file in files(copy) {
        if !wanted.contains_key(&file) {
            fs::remove_file(file)?;
        }
    }
    for (file, bytes) in wanted {
        if fs::read(&file).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(copy))?;
        fs::write(&file, bytes).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

/// The folders of the packages beside the plugin, each with a slash at its end.
fn packages(listed: &str) -> Vec<&str> {
    listed.lines().filter_map(|path| path.strip_suffix("Cargo.toml")).filter(|folder| !folder.is_empty()).collect()
}

/// What the copy has instead of this file, if anything.
fn copied(path: &str, bytes: Vec<u8>, packages: &[&str]) -> Option<Vec<u8>> {
    if path.ends_with("Cargo.toml") {
        // The first is the package's own, or that of all of them.
        let text = String::from_utf8(bytes).ok()?;
        return Some(text.replacen("\nversion = \"", "\nversion = \"0.0.0-mutant.", 1).into());
    }
    // A package may be in the folder of another one.
    match packages.iter().filter_map(|package| path.strip_prefix(package)).min_by_key(|path| path.len()) {
        None => Some(bytes),
        Some("src/lib.rs") => Some(vec![]),
        Some(path) if path == "src/main.rs" || path.starts_with("src/bin/") => Some(b"fn main() {}\n".to_vec()),
        Some(_) => None,
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_mutation_applies() {
        for mutation in MUTATIONS {
            let original = fs::read_to_string(root().join(mutation.file)).unwrap();
            assert_ne!(mutation.apply(&original).unwrap(), original, "{}", mutation.name);
        }
        let names: HashSet<_> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), MUTATIONS.len());
    }

    #[test]
    fn a_mutation_that_no_longer_applies_says_so() {
        let mutation = Mutation { name: "n", file: "f", find: "x", replace: "y", seen_by: "" };
        for text in ["", "xx"] {
            let error = mutation.apply(text).unwrap_err().to_string();
            assert!(error.contains("\"n\" no longer applies"), "{error}");
        }
    }

    #[test]
    fn the_copy_has_its_own_versions_and_nothing_but_the_plugin() {
        let packages = packages("Cargo.toml\nxtask/Cargo.toml\nxtask/in/Cargo.toml\nxtask/src/main.rs");
        assert_eq!(packages, ["xtask/", "xtask/in/"]);
        let copied = |path: &str| copied(path, b"[package]\nversion = \"1.2.3\"\n".to_vec(), &packages);
        let text = |path: &str| copied(path).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(text("xtask/Cargo.toml").unwrap(), "[package]\nversion = \"0.0.0-mutant.1.2.3\"\n");
        assert_eq!(text("src/lib.rs").unwrap(), "[package]\nversion = \"1.2.3\"\n");
        assert_eq!(text("xtask/src/main.rs").unwrap(), "fn main() {}\n");
        assert_eq!((text("xtask/src/lib.rs").unwrap().as_str(), text("xtask/build.rs")), ("", None));
        assert_eq!(text("xtask/in/src/lib.rs").unwrap(), "");
    }

    #[test]
    fn the_tests_that_failed_are_named() {
        let report =
            "  PASS [ 0.1s] (1/2) p a\n  FAIL [   1.6s] (2/2) p engine::b\n---\n  FAIL [   1.6s] (2/2) p engine::b\n";
        assert_eq!(seen_by(report), "seen by engine::b");
        assert_eq!(seen_by("  PASS [ 0.1s] (1/2) p a"), "SURVIVES");
    }
}
