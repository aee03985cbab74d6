use super::{MANIFEST, faults_of};
use crate::imports::rules::{Never, RULES};

#[test]
fn each_rule_can_be_broken() {
    for rule in RULES {
        for never in rule.never {
            let (faults, arrow) = match never {
                Never::Crate(name) => imports_a_crate(rule.inside, name),
                Never::Folder(folder) => imports_a_folder(rule.inside, folder),
            };
            let fault = format!("rule broken:\n  {arrow}\n  nothing in {} imports it: {}", rule.inside, rule.why);
            assert_eq!(faults, [fault]);
        }
    }
}

/// Returns the faults of a package that imports the crate, and the arrow that breaks the rule.
fn imports_a_crate(package: &str, name: &str) -> (Vec<String>, String) {
    let faults = faults_of(&[
        (&format!("{package}Cargo.toml"), MANIFEST.1),
        (&format!("{package}src/lib.rs"), "mod a;"),
        (&format!("{package}src/a.rs"), &format!("use {name}::Name;")),
    ]);
    (faults, format!("{package}src/a.rs -> {name} ({name}::Name)"))
}

/// Returns the faults of a folder with a file that imports the other folder, and the arrow that breaks the rule.
fn imports_a_folder(folder: &str, other: &str) -> (Vec<String>, String) {
    let module = |folder: &str| folder.trim_start_matches("src/").trim_end_matches('/').to_owned();
    let faults = faults_of(&[
        ("src/lib.rs", &format!("mod {}; mod {};", module(folder), module(other))),
        (&format!("src/{}.rs", module(folder)), "mod a;"),
        (&format!("{folder}a.rs"), &format!("fn run() {{ crate::{}::Name; }}", module(other))),
        (&format!("{other}mod.rs"), "pub struct Name;"),
    ]);
    (faults, format!("{folder}a.rs -> {other}mod.rs (Name)"))
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
    assert_eq!(files("#[cfg(test)] mod tests { use tauri_plugin_tasks::Task; }"), 0);
    assert_eq!(files("/// tauri::AppHandle\nfn run(tauri: u8) { tauri; }"), 0);
}
