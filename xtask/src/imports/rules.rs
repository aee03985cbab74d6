//! The rule that keeps the engine free of Tauri. Which folder may import which is written in CONTRIBUTING.md: see `order`.

use super::arrows::{Arrows, listed};

/// The folder whose files must keep to the rule.
pub const INSIDE: &str = "crates/engine/";
/// The crates that they must not import.
pub const NEVER: &[&str] = &["tauri", "tauri_plugin_tasks"];
pub const WHY: &str = "the engine runs tasks on tokio alone, and is built and tested without a webview";

/// Returns a text for each arrow that breaks the rule.
pub fn broken(arrows: &Arrows) -> Vec<String> {
    let forbidden = arrows.crates().filter(|(from, to, _)| from.starts_with(INSIDE) && NEVER.contains(to));
    let text = |(from, to, names): (&str, &str, _)| {
        format!("rule broken:\n  {from} -> {to} ({})\n  nothing in {INSIDE} imports it: {WHY}", listed(names))
    };
    forbidden.map(text).collect()
}
