//! The rule that keeps the engine free of Tauri. Which folder may import which is written in CONTRIBUTING.md: see `order`.

use anyhow::Result;

use super::arrows::{Arrows, listed};
use super::manifest;
use super::sources::Sources;

/// The folder of the package that must keep to the rule.
pub const INSIDE: &str = "crates/engine/";
/// The crates that its code must not import.
pub const NEVER: &[&str] = &["tauri", "tauri_plugin_tasks"];
pub const WHY: &str = "the engine runs tasks on tokio alone, and is built and tested without a webview";

/// The start of the names of packages that it must not depend on, even for its tests, and the exception: itself.
const NEVER_STARTS_WITH: &str = "tauri";
const ITSELF: &str = "tauri-plugin-tasks-engine";

/// Returns a text for each arrow and each dependency that breaks the rule.
pub fn broken(sources: &Sources, arrows: &Arrows) -> Result<Vec<String>> {
    let forbidden = arrows.crates().filter(|(from, to, _)| from.starts_with(INSIDE) && NEVER.contains(to));
    let text = |(from, to, names): (&str, &str, _)| {
        format!("rule broken:\n  {from} -> {to} ({})\n  nothing in {INSIDE} imports it: {WHY}", listed(names))
    };
    let mut texts: Vec<_> = forbidden.map(text).collect();
    texts.extend(forbidden_dependencies(sources)?);
    Ok(texts)
}

fn forbidden_dependencies(sources: &Sources) -> Result<Vec<String>> {
    let path = format!("{INSIDE}Cargo.toml");
    if !sources.contains(&path) {
        return Ok(vec![]);
    }
    let named = manifest::dependencies(sources.text(&path)?).into_iter();
    let forbidden = named.filter(|(_, name)| name.starts_with(NEVER_STARTS_WITH) && name != ITSELF);
    let text = |(line, name)| {
        format!("rule broken:\n  {path}:{line} depends on {name}\n  remove it, even if only tests use it: {WHY}")
    };
    Ok(forbidden.map(text).collect())
}
