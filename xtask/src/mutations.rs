//! Mutation tests: breaks the engine on purpose, in one way at a time, and checks that the tests fail.
//!
//! The mutations are applied to a copy of the engine's package under `target/xtask/mutants`. The work tree stays as it is, and nothing
//! that needs a webview is built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output as Finished;

use anyhow::{Context, Result, ensure};

use crate::command::{Output, command, root, stdout, target};
use crate::setup;

/// The exit code of nextest when tests have failed. Any other failure means that a mutation could not be tested.
const TESTS_FAILED: i32 = 100;
/// The package that is mutated.
const PACKAGE: &str = "tauri-plugin-tasks-engine";
const FOLDER: &str = "crates/engine/";
/// A filter for the tests that must pass without a mutation.
const WHOLE: &str = "test(/^tests::/)";
const MODEL: &str = "test(/^tests::model::/)";

/// One way to break the engine.
struct Mutation {
    /// The defect that it introduces.
    name: &'static str,
    file: &'static str,
    /// The text to replace, which must be in the file exactly once.
    find: &'static str,
    replace: &'static str,
    /// A filter for nextest: at least one of these tests must fail.
    seen_by: &'static str,
}

const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "a lost slot",
        file: "crates/engine/src/record/steps.rs",
        find: "self.common.admission.lock().leave(self.id);",
        replace: "if state.life.status() != TaskStatus::Failed {\n            self.common.admission.lock().leave(self.id);\n        }",
        seen_by: MODEL,
    },
    Mutation {
        name: "a second end",
        file: "crates/engine/src/task/life.rs",
        find: "if self.status.is_final() {\n            return Err(self.status);",
        replace: "if self.status == TaskStatus::Failed {\n            return Err(self.status);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a status after the end",
        file: "crates/engine/src/task/life.rs",
        find: "self.overdue = false;\n        self.become_(status, at);",
        replace: "self.overdue = false;\n        self.become_(status, at);\n        self.record(at);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a queue that forgets tasks that come back",
        file: "crates/engine/src/queue/admission.rs",
        find: "(entry.stage == Stage::Away).then_some(TaskEntry { stage: Stage::Waiting, ..entry })",
        replace: "(entry.stage == Stage::Away).then_some(entry)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a retry that keeps its slot",
        file: "crates/engine/src/record/steps.rs",
        find: "self.common.admission.lock().step_back(self.id);",
        replace: "self.common.admission.lock().waits(self.id);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a limit that counts one too many",
        file: "crates/engine/src/queue/admission.rs",
        find: "self.limit.is_none_or(|limit| self.running < limit)",
        replace: "self.limit.is_none_or(|limit| self.running <= limit)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a priority that counts only among tasks of the same age",
        file: "crates/engine/src/queue/admission.rs",
        find: "    priority: Reverse<i32>,\n    arrival: u64,\n",
        replace: "    arrival: u64,\n    priority: Reverse<i32>,\n",
        seen_by: MODEL,
    },
    Mutation {
        name: "a key that is never handed on",
        file: "crates/engine/src/run/transitions.rs",
        find: "admission.release(next, Hold::Key);",
        replace: "admission.waits(next);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a hold that does not hold",
        file: "crates/engine/src/run/waiting.rs",
        find: "admission.hold(record.id, Hold::User)",
        replace: "admission.waits(record.id)",
        seen_by: MODEL,
    },
    Mutation {
        name: "a cancelled task that stays in the queue",
        file: "crates/engine/src/record/steps.rs",
        find: "if now.is_final() {\n                self.close(state, effects);",
        replace: "if now.is_final() {\n                effects.end(std::mem::replace(&mut state.live, Live::none()));",
        seen_by: MODEL,
    },
    Mutation {
        name: "an overdue task that is never marked as such",
        file: "crates/engine/src/run/transitions.rs",
        find: "record.outstay();",
        replace: "drop(record);",
        seen_by: MODEL,
    },
    Mutation {
        name: "a stall that nobody notices",
        file: "crates/engine/src/run/clocks.rs",
        find: "if record.take_touched() { Duration::ZERO } else { silent + step }",
        replace: "if record.take_touched() { silent + step } else { Duration::ZERO }",
        seen_by: MODEL,
    },
    Mutation {
        name: "a time limit that replaces the reason of a cancel",
        file: "crates/engine/src/task/life.rs",
        find: "if self.status == TaskStatus::Cancelling {\n            return Ok(());",
        replace: "if self.status == TaskStatus::Cancelling {\n            self.stop = Some(Box::new(why));\n            return Ok(());",
        seen_by: MODEL,
    },
    Mutation {
        name: "an end that comes before the newest progress",
        file: "crates/engine/src/record/cursor.rs",
        find: "Some((_, status)) if !(status.is_final() && progress_due) => {",
        replace: "Some((_, status)) => {",
        seen_by: "test(/^tests::(batch|model)::/)",
    },
    Mutation {
        name: "a batch that its members outlive",
        file: "crates/engine/src/record/steps.rs",
        find: "self.state.lock().batch = Some(batch);",
        replace: "drop(batch);",
        seen_by: "test(/^tests::(batch|model)::/)",
    },
];

/// Tests each mutation. Fails if the tests pass with one.
pub fn run(output: &Output) -> Result<()> {
    let copy = target().join("xtask/mutants");
    sync(&copy)?;
    for mutation in MUTATIONS {
        mutation.apply(&fs::read_to_string(copy.join(mutation.file))?)?;
    }
    let whole = tests(&copy, WHOLE, output)?;
    ensure!(whole.status.success(), "{}\n\nthe tests fail on the engine without a mutation", text(&whole));
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
            _ => anyhow::bail!(
                "{}\n\n\"{}\" can't be tested: nextest ended with {}",
                text(&result),
                mutation.name,
                result.status
            ),
        }
        output.note(&format!("{}: {}", mutation.name, seen_by(&text(&result))))?;
    }
    ensure!(survived.is_empty(), "no test notices these mutations: {}", survived.join(", "));
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

/// Runs the tests of the copy that `filter` picks.
fn tests(copy: &Path, filter: &str, output: &Output) -> Result<Finished> {
    let mut nextest = setup::nextest(output)?;
    nextest.args(["--package", PACKAGE, "--lib", "--color", "never", "--filterset", filter]);
    nextest.current_dir(copy).env("CARGO_TARGET_DIR", target()).env("RUST_BACKTRACE", "0");
    // It is enough that a test fails: proptest need not shrink the failing input.
    nextest.env("PROPTEST_MAX_SHRINK_ITERS", "0");
    nextest.output().context("nextest could not be started")
}

fn text(finished: &Finished) -> String {
    [&finished.stdout, &finished.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// Returns the names of the tests that failed, from nextest's report.
fn seen_by(report: &str) -> String {
    let failed = report.lines().filter(|line| ["FAIL [", "TIMEOUT ["].iter().any(|word| line.trim().starts_with(word)));
    let mut names: Vec<_> = failed.filter_map(|line| line.split_whitespace().last()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "SURVIVES".to_owned() } else { format!("seen by {}", names.join(", ")) }
}

/// Brings the copy up to date with the work tree. Files that have not changed are not rewritten, so that Cargo rebuilds little.
fn sync(copy: &Path) -> Result<()> {
    let listed = stdout(&mut command("git ls-files --cached --others --exclude-standard"));
    let listed = listed.context("`git ls-files` failed: the mutations need a copy of the files that it lists")?;
    let mut wanted = BTreeMap::new();
    for path in listed.lines() {
        // Git also lists deleted files, and quotes unusual names. Neither can be read, and the engine needs neither.
        if let Ok(bytes) = fs::read(root().join(path)) {
            wanted.extend(copied(path, bytes).map(|bytes| (copy.join(path), bytes)));
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

/// Returns what the copy has in place of this file, or `None` if it leaves the file out.
fn copied(path: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
    match path {
        "Cargo.toml" => Some(workspace(&String::from_utf8(bytes).ok()?).into()),
        "Cargo.lock" => Some(bytes),
        ".config/nextest.toml" => Some(default_profile(&String::from_utf8(bytes).ok()?).into()),
        _ => path.starts_with(FOLDER).then_some(bytes),
    }
}

/// Returns the part of nextest's configuration that holds for all tests. The rest names packages that are not in the copy.
fn default_profile(config: &str) -> &str {
    config.split("\n[test-groups]").next().unwrap_or(config)
}

/// Returns the manifest of a workspace of the engine alone, with what its package inherits, and the profiles. It has another version, or
/// Cargo would confuse the builds of the two workspaces in their common target folder.
fn workspace(manifest: &str) -> String {
    let inherited = ["workspace.package", "workspace.lints", "profile"];
    let sections = manifest.split("\n[").filter(|section| inherited.iter().any(|name| section.starts_with(name)));
    let sections: String = sections.flat_map(|section| ["\n[", section, "\n"]).collect();
    let sections = sections.replacen("\nversion = \"", "\nversion = \"0.0.0-mutant.", 1);
    format!("[workspace]\nmembers = [\"{}\"]\nresolver = \"3\"\n{sections}", FOLDER.trim_end_matches('/'))
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
    fn the_copy_is_a_workspace_of_the_engine_alone_with_another_version() {
        let manifest = "[workspace]\nmembers = [\"a\"]\n\n[workspace.package]\nversion = \"1.2.3\"\n\n[package]\nname = \"p\"\n\n\
                        [workspace.lints.rust]\nunsafe_code = \"forbid\"\n\n[profile.dev]\ndebug = 1\n\n[dependencies]\nserde = \"1\"\n";
        let workspace = workspace(manifest);
        let has = |text: &str| workspace.contains(text);
        assert!(has("members = [\"crates/engine\"]") && has("version = \"0.0.0-mutant.1.2.3\""), "{workspace}");
        assert!(has("[workspace.lints.rust]") && has("[profile.dev]"), "{workspace}");
        assert!(!has("[package]") && !has("serde"), "{workspace}");
        assert!(copied("crates/engine/src/lib.rs", vec![]).is_some() && copied("Cargo.lock", vec![]).is_some());
        assert!(copied("src/lib.rs", vec![]).is_none() && copied("crates/specta/src/lib.rs", vec![]).is_none());
    }

    #[test]
    fn the_tests_that_failed_are_named() {
        let report =
            "  PASS [ 0.1s] (1/2) p a\n  FAIL [   1.6s] (2/2) p engine::b\n---\n  FAIL [   1.6s] (2/2) p engine::b\n";
        assert_eq!(seen_by(report), "seen by engine::b");
        assert_eq!(seen_by("  PASS [ 0.1s] (1/2) p a"), "SURVIVES");
    }
}
