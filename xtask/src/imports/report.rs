//! The text for people: the circles, and the children of each folder by floor.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::arrows::Arrows;
use super::folders::{Level, Places};
use super::graph::{Graph, Knot, arrows as circle_arrows};

pub const ADVICE: &str = "Break a circle at one of its arrows: move the named items to the lower file or to a new file \
below both, or pass them in from above. `cargo xtask imports` shows the floors.";

/// How many arrows between files are listed for an arrow between folders.
const EXAMPLES: usize = 4;

/// Returns a text for each circle of files, with its arrows.
pub fn circles_of_files(arrows: &Arrows) -> Vec<String> {
    let mut graph = Graph::default();
    for (from, to, _) in arrows.files() {
        graph.arrow(from, to);
    }
    let names = |from: &str, to: &str| format!(" ({})", arrows.names(from, to));
    graph.knots().iter().flat_map(|knot| texts(knot, "files", names)).collect()
}

/// Returns a text for each circle of children of a folder, if at least one of them is a folder.
pub fn circles_of_folders(arrows: &Arrows, places: &Places<'_>) -> Vec<String> {
    let mut all = vec![];
    for (folder, level) in places.levels(arrows) {
        let what = format!("folders in {}", if folder.is_empty() { "the repository" } else { &folder });
        for mut knot in graph(&level).knots() {
            knot.circles.retain(|circle| circle.iter().any(|child| child.ends_with('/')));
            all.extend(texts(&knot, &what, |from, to| examples(arrows, &level, from, to)));
        }
    }
    all
}

fn graph<'l>(level: &'l Level<'_>) -> Graph<'l> {
    let mut graph = Graph::default();
    for (from, to) in level.0.keys() {
        graph.arrow(from, to);
    }
    graph
}

fn texts(knot: &Knot<'_>, what: &str, names: impl Fn(&str, &str) -> String) -> Vec<String> {
    let text = |circle: &Vec<&str>| {
        let mut text = format!("circle of {} {what}:", circle.len());
        for (from, to) in circle_arrows(circle) {
            let _ = write!(text, "\n  {from} -> {to}{}", names(from, to));
        }
        text
    };
    let mut texts: Vec<_> = knot.circles.iter().map(text).collect();
    if let Some(last) = texts.last_mut()
        && knot.circles.iter().flatten().collect::<BTreeSet<_>>().len() < knot.nodes.len()
    {
        let nodes: Vec<_> = knot.nodes.iter().copied().collect();
        let _ = write!(last, "\n  {} reach each other, some in longer circles: {}", nodes.len(), nodes.join(", "));
    }
    texts
}

fn examples(arrows: &Arrows, level: &Level<'_>, from: &str, to: &str) -> String {
    let Some(files) = level.0.get(&(from.to_owned(), to.to_owned())) else { return String::new() };
    let mut text = String::new();
    for (from, to) in files.iter().take(EXAMPLES) {
        let _ = write!(text, "\n      {from} -> {to} ({})", arrows.names(from, to));
    }
    if files.len() > EXAMPLES {
        let _ = write!(text, "\n      and {} more", files.len() - EXAMPLES);
    }
    text
}

/// Returns each folder with its children by floor, top first, and which of the others each child imports.
pub fn house(arrows: &Arrows) -> String {
    let mut text = String::new();
    for (folder, level) in Places::of(arrows).levels(arrows) {
        let _ = writeln!(text, "{}", if folder.is_empty() { "(repository)" } else { &folder });
        let graph = graph(&level);
        let mut floors: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (child, floor) in graph.floors() {
            floors.entry(floor).or_default().push(child);
        }
        for (floor, children) in floors.into_iter().rev() {
            for child in children {
                let short = |child: &str| child.strip_prefix(folder.as_str()).unwrap_or(child).to_owned();
                let imported: Vec<_> = graph.targets(child).map(short).collect();
                let arrow = if imported.is_empty() { "" } else { " -> " };
                let _ = writeln!(text, "  {floor:>2}  {}{arrow}{}", short(child), imported.join(" "));
            }
        }
    }
    text
}
