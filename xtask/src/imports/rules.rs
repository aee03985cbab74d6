//! Arrows run down only: what may not be imported where, also where no circle would come of it.

use super::arrows::{Arrows, listed};
use super::folders::Places;

pub struct Rule {
    /// The folder whose files keep to the rule.
    pub inside: &'static str,
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
        why: "what a page may ask does not depend on how the app lives and ends: the builder hands both what they share",
    },
    Rule {
        inside: "src/app/",
        never: &[Never::Folder("src/ipc/")],
        why: "how the app lives and ends does not depend on what a page may ask: the builder hands both what they share",
    },
    Rule {
        inside: "src/session/",
        never: &[Never::Folder("src/ipc/"), Never::Folder("src/app/")],
        why: "what a page is told does not depend on how it asks, nor on the app's life",
    },
    Rule {
        inside: "src/access/",
        never: &[Never::Folder("src/session/"), Never::Folder("src/ipc/"), Never::Folder("src/app/")],
        why: "who may do what is decided below everything that asks for it",
    },
];

/// One sentence for each arrow that breaks a rule.
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
