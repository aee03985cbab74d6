use super::{MANIFEST, faults_of};
use crate::imports::rules::{INSIDE, NEVER, WHY};

#[test]
fn the_rule_can_be_broken_with_each_crate() {
    for name in NEVER {
        let faults = faults_of(&[
            (&format!("{INSIDE}Cargo.toml"), MANIFEST.1),
            (&format!("{INSIDE}src/lib.rs"), "mod a;"),
            (&format!("{INSIDE}src/a.rs"), &format!("use {name}::Name;")),
        ]);
        let arrow = format!("{INSIDE}src/a.rs -> {name} ({name}::Name)");
        assert_eq!(faults, [format!("rule broken:\n  {arrow}\n  nothing in {INSIDE} imports it: {WHY}")]);
    }
}

#[test]
fn a_path_without_a_use_breaks_a_rule_but_test_code_does_not() {
    let files = |code| {
        let manifest = ("crates/engine/Cargo.toml", MANIFEST.1);
        faults_of(&[manifest, ("crates/engine/src/lib.rs", code)]).len()
    };
    assert_eq!(files("fn run(app: tauri::AppHandle) {}"), 1);
    assert_eq!(files("fn run() { ::tauri::run() }"), 1);
    assert_eq!(files("fn run() { println!(\"{}\", tauri::VERSION) }"), 1);
    assert_eq!(files("extern crate tauri;"), 1);
    assert_eq!(files("macro_rules! m { () => { tauri::VERSION } }"), 1);
    assert_eq!(files("macro_rules! m { () => { use tauri::{App, Wry as _}; } }"), 1);
    assert_eq!(files("#[cfg(test)] mod tests { use tauri_plugin_tasks::Task; }"), 0);
    assert_eq!(files("/// tauri::AppHandle\nfn run(tauri: u8) { tauri; }"), 0);
}

#[test]
fn the_engine_depends_on_no_package_of_tauri_even_for_its_tests() {
    let faults =
        |manifest: &str| faults_of(&[(&format!("{INSIDE}Cargo.toml"), manifest), (&format!("{INSIDE}src/lib.rs"), "")]);
    for table in ["dependencies", "dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dev-dependencies"] {
        for name in ["tauri", "tauri-specta", "tauri-plugin-tasks"] {
            let fault = format!(
                "rule broken:\n  {INSIDE}Cargo.toml:2 depends on {name}\n  remove it, even if only tests use it: {WHY}"
            );
            assert_eq!(faults(&format!("[{table}]\n{name} = \"2\"")), [fault]);
        }
    }
    let itself =
        "[dev-dependencies]\ntauri-plugin-tasks-engine = { path = \".\", features = [\"test\"] }\ntokio = \"1\"";
    assert!(faults(itself).is_empty());
}
