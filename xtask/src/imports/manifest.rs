//! The dependencies that a Cargo.toml names, read line by line.

use std::collections::HashSet;

/// Returns the packages in all dependency tables (also those for tests, builds and single targets), each with its first line,
/// from 1. A renamed package counts under both names.
pub fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut found = vec![];
    let mut table: Vec<String> = vec![];
    for (line, number) in manifest.lines().map(str::trim).zip(1..) {
        if let Some(header) = line.strip_prefix('[') {
            table = keys(header.trim_start_matches('['));
            found.extend(dependency(&table).map(|name| (number, name)));
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let path = [table.as_slice(), &keys(key)].concat();
            if let Some(name) = dependency(&path) {
                found.push((number, name));
                found.extend(renamed(path.last().map_or("", String::as_str), value).map(|name| (number, name)));
            }
        }
    }
    let mut seen = HashSet::new();
    found.retain(|(_, name)| seen.insert(name.clone()));
    found
}

/// Returns the dependency that a path of keys names, or whose table it leads into.
fn dependency(path: &[String]) -> Option<String> {
    const TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];
    path.iter().skip_while(|key| !TABLES.contains(&key.as_str())).nth(1).cloned()
}

/// Returns the value of `package`, which is the name in the registry.
fn renamed(key: &str, value: &str) -> Option<String> {
    let quoted = match key {
        "package" => value,
        _ => value.split_once("package")?.1.trim_start().strip_prefix('=')?,
    };
    quoted.split(['"', '\'']).nth(1).map(str::to_owned)
}

/// Splits `a."b.c".d` into its keys, up to a closing bracket.
fn keys(text: &str) -> Vec<String> {
    let (mut keys, mut key) = (vec![], String::new());
    let mut quote = None;
    for sign in text.chars() {
        match (quote, sign) {
            (None, ']') => break,
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), sign) if sign == open => quote = None,
            (None, '.') => keys.push(std::mem::take(&mut key)),
            (None, sign) if sign.is_whitespace() => {}
            (_, sign) => key.push(sign),
        }
    }
    keys.push(key);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_in_every_form() {
        for (manifest, names) in [
            ("[dependencies]\na = \"1\"\n# no = \"1\"\n\"b\" = \"1\"", vec!["a", "b"]),
            ("[dev-dependencies]\na.version = \"1\"\na.path = \".\"", vec!["a"]),
            ("[build-dependencies.a]\nversion = \"1\"", vec!["a"]),
            ("[target.'cfg(any(unix, target_os = \"x.y\"))'.dev-dependencies]\na = { version = \"1\" }", vec!["a"]),
            ("[dependencies]\nb = { version = \"1\", package = \"a\" }", vec!["b", "a"]),
            ("[dependencies.b]\npackage = 'a' # renamed", vec!["b", "a"]),
            ("dependencies.a = \"1\"", vec!["a"]),
            ("[package]\nname = \"a\"\n[features]\nx = [\"dep:a\"]\n[package.metadata.a]\nb = 1", vec![]),
        ] {
            let found = dependencies(manifest);
            assert_eq!(found.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), names, "{manifest}");
        }
        assert_eq!(dependencies("\n[dependencies]\na = \"1\""), [(3, "a".to_owned())]);
    }
}
