//! Finds the crates' root files: those of the libraries and programs of each package. Tests, benches and examples are left
//! out, because nothing imports them.

use crate::imports::sources::{Sources, folder_of, has_extension, joined};

pub fn roots(sources: &Sources) -> Vec<String> {
    let manifests = sources.paths().filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
    let folders: Vec<_> = manifests.map(|manifest| joined(folder_of(manifest), "src")).collect();
    sources.paths().filter(|path| folders.iter().any(|src| is_root(path, src))).map(str::to_owned).collect()
}

fn is_root(path: &str, src: &str) -> bool {
    let Some(inside) = path.strip_prefix(src).and_then(|path| path.strip_prefix('/')) else { return false };
    match inside.split('/').collect::<Vec<_>>()[..] {
        ["lib.rs" | "main.rs"] | ["bin", _, "main.rs"] => true,
        ["bin", program] => has_extension(program, &["rs"]),
        _ => false,
    }
}
