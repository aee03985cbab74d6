//! Fixtures for each kind of fault, and for code that only looks like one.

mod house;
mod order;
mod rules;
mod rust;
mod typescript;

use super::sources::Sources;
use super::{arrows, circles_and_broken_rules};

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"fixture\"\n");

/// Returns the circles and broken rules that are reported for a repository of these files.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources = sources(files);
    let arrows = arrows(&sources).expect("the fixture can be read");
    circles_and_broken_rules(&sources, &arrows).expect("the fixture can be read")
}

/// Returns each arrow as `from -> to (names)`, without the folder `src/`.
fn arrows_of(files: &[(&str, &str)]) -> Vec<String> {
    let arrows = arrows(&sources(files)).expect("the fixture can be read");
    let texts = arrows.files().map(|(from, to, _)| format!("{from} -> {to} ({})", arrows.names(from, to)));
    texts.map(|text| text.replace("src/", "")).collect()
}

fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::of(&[&[MANIFEST], files].concat())
}
