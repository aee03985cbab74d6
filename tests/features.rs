//! Checks that no release candidate comes with a feature that a host may turn on, and that there is none without a feature.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{fs, path::Path};

use toml::{Table, Value};

/// Private, for our own bindings; see CONTRIBUTING.md.
const PRIVATE: &str = "__specta";

fn manifest(folder: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Whether the requirement, such as `=2.0.0-rc.26`, is for a release candidate or one of the crates that follow them.
fn is_unstable(name: &str, dependency: &Value) -> bool {
    let version = dependency.as_str().or_else(|| dependency.get("version")?.as_str()).unwrap_or_default();
    version.contains('-') || name.contains("specta")
}

fn is_optional(dependency: &Value) -> bool {
    dependency.get("optional").and_then(Value::as_bool).unwrap_or(false)
}

/// Returns the names of the release candidates among the dependencies that a host gets.
fn unstable(manifest: &Table) -> Vec<&String> {
    let dependencies = manifest["dependencies"].as_table().unwrap();
    dependencies.iter().filter(|(name, dependency)| is_unstable(name, dependency)).map(|(name, _)| name).collect()
}

#[test]
fn a_release_candidate_comes_only_with_the_private_feature() {
    for folder in [".", "crates/engine"] {
        let manifest = manifest(folder);
        let unstable = unstable(&manifest);
        for name in &unstable {
            assert!(is_optional(&manifest["dependencies"][name.as_str()]), "{folder} always depends on {name}");
        }
        for (feature, turns_on) in manifest["features"].as_table().unwrap() {
            let turns_on: Vec<_> = turns_on.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let brings =
                |what: &&str| what.contains(PRIVATE) || unstable.iter().any(|name| what.contains(name.as_str()));
            let found = turns_on.into_iter().find(brings);
            assert!(feature == PRIVATE || found.is_none(), "the feature {feature} of {folder} turns on {found:?}");
        }
    }
}

#[test]
fn the_plugin_turns_the_private_feature_on_for_its_tests_only() {
    let plugin = manifest(".");
    assert!(!plugin["dependencies"]["tauri-plugin-tasks-engine"].to_string().contains(PRIVATE));
    assert!(plugin["dev-dependencies"]["tauri-plugin-tasks-engine"].to_string().contains(PRIVATE));
    // Otherwise the test above would look for nothing.
    assert_eq!(unstable(&manifest("crates/engine")), ["specta", "specta-typescript"]);
}
