//! Rules for imports that are forbidden even if they make no circle.

use super::arrows::{Arrows, listed};
use super::folders::Places;

pub struct Rule {
    /// The folder whose files must keep to the rule.
    pub inside: &'static str,
    /// What they must not import.
    pub never: &'static [Never],
    pub why: &'static str,
}

pub enum Never {
    Folder(&'static str),
    Crate(&'static str),
}

pub const RULES: &[Rule] = &[
    Rule {
        inside: "crates/engine/",
        never: &[Never::Crate("tauri"), Never::Crate("tauri_plugin_tasks")],
        why: "the engine runs tasks on tokio alone, and is built and tested without a webview",
    },
    Rule {
        inside: "src/ipc/",
        never: &[Never::Folder("src/app/")],
        why: "the commands must not depend on the app's lifecycle: the builder gives both what they share",
    },
    Rule {
        inside: "src/app/",
        never: &[Never::Folder("src/ipc/")],
        why: "the app's lifecycle must not depend on the commands: the builder gives both what they share",
    },
    Rule {
        inside: "src/session/",
        never: &[Never::Folder("src/ipc/"), Never::Folder("src/app/")],
        why: "what is pushed to a page must depend neither on the commands nor on the app's lifecycle",
    },
    Rule {
        inside: "src/access/",
        never: &[Never::Folder("src/session/"), Never::Folder("src/ipc/"), Never::Folder("src/app/")],
        why: "access checks must not depend on the code that asks for them",
    },
];

/// Returns a text for each arrow that breaks a rule.
pub fn broken(arrows: &Arrows, places: &Places<'_>) -> Vec<String> {
    let mut sentences = vec![];
    for rule in RULES {
        let is_inside = |path: &str| places.place(path).starts_with(rule.inside);
        for never in rule.never {
            let found: Vec<_> = match never {
                Never::Folder(folder) => {
                    let is_there = |path: &str| places.place(path).starts_with(folder);
                    arrows.files().filter(|(from, to, _)| is_inside(from) && is_there(to)).collect()
                }
                Never::Crate(name) => arrows.crates().filter(|(from, to, _)| is_inside(from) && to == name).collect(),
            };
            sentences.extend(found.iter().map(|(from, to, names)| {
                format!(
                    "rule broken:\n  {from} -> {to} ({})\n  nothing in {} imports it: {}",
                    listed(names),
                    rule.inside,
                    rule.why
                )
            }));
        }
    }
    sentences
}
