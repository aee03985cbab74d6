//! The plugin's own permission files, and the capabilities that use them.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;
use tauri::utils::acl::{
    capability::{Capability, CapabilityFile, PermissionEntry},
    manifest::{Manifest, PermissionFile},
};

use crate::{access::scope::ScopeEntry, config::nearest::nearest};

const PREFIX: &str = "tasks";

/// The texts of the files in `permissions/`.
const FILES: &[&str] = &include!(concat!(env!("OUT_DIR"), "/permission_files.rs"));

/// Returns the plugin's permissions, as an app that depends on it gets them.
pub(super) fn manifest() -> Manifest {
    let read = |text: &&str| -> PermissionFile {
        toml::from_str(text).unwrap_or_else(|error| panic!("a permission file of the plugin can't be read: {error}"))
    };
    Manifest::new(FILES.iter().map(read).collect(), None)
}

/// Reads a capability file, as in `src-tauri/capabilities/`, and leaves out the permissions of other plugins. Panics if
/// it can't be read or names a permission that the plugin doesn't have.
pub(super) fn capabilities(text: &str) -> Vec<Capability> {
    let file = read(text).unwrap_or_else(|error| panic!("this is no capability: {error}\n{text}"));
    let mut capabilities = match file {
        CapabilityFile::Capability(capability) => vec![capability],
        CapabilityFile::List(capabilities) | CapabilityFile::NamedList { capabilities } => capabilities,
    };
    for capability in &mut capabilities {
        capability.permissions.retain(|entry| entry.identifier().get_prefix() == Some(PREFIX));
        for entry in &capability.permissions {
            check(entry.identifier().get_base());
            check_scope(&capability.identifier, entry);
        }
    }
    capabilities.retain(|capability| !capability.permissions.is_empty());
    capabilities
}

/// Reads a capability file. Tauri tries TOML after JSON, and then tells of broken JSON that it is no TOML.
fn read(text: &str) -> Result<CapabilityFile, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // A table of a TOML file begins with `[` too, but with a name in it.
    if text.starts_with('{') || (text.starts_with('[') && !is_table(text)) {
        let value = serde_json::from_str(text).map_err(|error| format!("it is broken JSON: {error}"))?;
        return from_json(value).map_err(|error| error.to_string());
    }
    text.parse().map_err(|error: tauri::utils::acl::Error| error.to_string())
}

/// Reads one of the forms of a capability file. An error of the whole enum would not say what is wrong.
fn from_json(mut value: Value) -> Result<CapabilityFile, serde_json::Error> {
    if value.is_array() {
        return serde_json::from_value(value).map(CapabilityFile::List);
    }
    match value.get_mut("capabilities").map(Value::take) {
        Some(list) => Ok(CapabilityFile::NamedList { capabilities: serde_json::from_value(list)? }),
        None => serde_json::from_value(value).map(CapabilityFile::Capability),
    }
}

/// Whether this begins with the header of a TOML table, such as `[[capabilities]]`.
fn is_table(text: &str) -> bool {
    text.trim_start_matches('[').starts_with(|letter: char| letter.is_ascii_alphabetic())
}

/// Panics if an entry in the scope of a permission can't be read, which the plugin would find with the first call only.
fn check_scope(capability: &str, entry: &PermissionEntry) {
    let PermissionEntry::ExtendedPermission { identifier, scope } = entry else { return };
    let entries = [("allow", &scope.allow), ("deny", &scope.deny)];
    for (list, entries) in entries {
        for entry in entries.iter().flatten() {
            let entry = serde_json::to_value(entry).unwrap_or_default();
            if let Err(problem) = ScopeEntry::deserialize(&entry) {
                panic!(
                    "in capability \"{capability}\", permission \"{}\" has an entry under \"{list}\" that the plugin can't read: \
                     {entry}: {problem}",
                    identifier.get()
                );
            }
        }
    }
}

/// Panics if the plugin has no permission of this name, which is without the prefix.
pub(super) fn check(name: &str) {
    let names = names();
    if names.iter().any(|known| known == name) {
        return;
    }
    let nearest = nearest(name, names.iter().map(String::as_str));
    let meant = nearest.map_or_else(String::new, |near| format!("did you mean \"{PREFIX}:{near}\"? "));
    let all = names.iter().map(|known| format!("{PREFIX}:{known}")).collect::<Vec<_>>().join(", ");
    panic!("the plugin has no permission \"{PREFIX}:{name}\": {meant}It has {all}");
}

/// Returns the name of a permission without the prefix. Panics if it is not one of the plugin's.
pub(super) fn base(permission: &str) -> &str {
    let base = permission.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(':'));
    base.unwrap_or_else(|| {
        panic!("\"{permission}\" is no permission of the tasks plugin: those begin with \"{PREFIX}:\", such as \"{PREFIX}:default\"")
    })
}

fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let manifest = manifest();
        let sets = manifest.permission_sets.into_keys().chain(manifest.permissions.into_keys());
        let mut names: Vec<_> = sets.chain(["default".to_owned()]).collect();
        names.sort();
        names
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permissions_are_those_of_all_files() {
        let manifest = manifest();
        assert!(manifest.default_permission.is_some());
        for name in ["default", "allow-start", "deny-start", "observe-all", "control-all", "allow-cancel-read"] {
            check(name);
        }
    }

    #[test]
    fn permissions_of_other_plugins_are_left_out() {
        let text = r#"{ "identifier": "main", "windows": ["main"], "permissions": [
            "core:default", "tasks:default", { "identifier": "fs:scope", "allow": [{ "path": "*" }] }
        ] }"#;
        let capabilities = capabilities(text);
        assert_eq!(capabilities.len(), 1);
        assert_eq!(capabilities[0].permissions.len(), 1);
        let list = r#"[{ "identifier": "a", "permissions": ["core:default"] }, { "identifier": "b", "permissions": ["tasks:allow-get"] }]"#;
        assert_eq!(super::capabilities(list)[0].identifier, "b");
        let toml = "identifier = \"c\"\npermissions = [\"tasks:default\"]\n";
        assert_eq!(super::capabilities(toml)[0].identifier, "c");
    }

    #[test]
    #[should_panic(
        expected = "the plugin has no permission \"tasks:allow-strat\": did you mean \"tasks:allow-start\"? It has tasks:allow-ack"
    )]
    fn an_unknown_permission_is_told_with_those_that_there_are() {
        capabilities(r#"{ "identifier": "main", "permissions": ["tasks:allow-strat"] }"#);
    }

    #[test]
    fn a_broken_file_is_told_in_its_own_language() {
        for text in ["{ \"identifier\": \"main\", }", " [{]", "{", "[", "[]]", "\n{ \"identifier\" \"main\" }"] {
            let message = read(text).err().unwrap();
            assert!(message.starts_with("it is broken JSON: ") && !message.contains("TOML"), "{text}: {message}");
        }
        for text in ["identifier = ", "[[capabilities]]\nidentifier = "] {
            assert!(!read(text).err().unwrap().contains("JSON"), "{text}");
        }
        let message = read("{ \"identifier\": \"main\" }").err().unwrap();
        assert!(message.contains("missing field `permissions`"), "{message}");
        let named = r#"{ "capabilities": [{ "identifier": "a", "permissions": ["tasks:default"] }] }"#;
        assert_eq!(capabilities(named).len(), 1);
        let tables = "[[capabilities]]\nidentifier = \"a\"\npermissions = [\"tasks:default\"]\n";
        assert_eq!(capabilities(tables).len(), 1);
    }

    #[test]
    fn an_entry_of_a_scope_that_the_plugin_can_not_read_is_told_at_once() {
        for (list, entry) in [
            ("allow", r#"{ "tsk": "x" }"#),
            ("deny", r#"{ "task": "x", "ower": "any" }"#),
            ("allow", r#"{ "task": "x", "owner": "all" }"#),
            ("deny", r#"{ "task": "[" }"#),
            ("allow", r#""x""#),
            ("allow", r#"{ "task": 1 }"#),
        ] {
            let text = format!(
                r#"{{ "identifier": "main", "permissions": [{{ "identifier": "tasks:allow-start", "{list}": [{entry}] }}] }}"#
            );
            let refusal = std::panic::catch_unwind(|| capabilities(&text)).unwrap_err();
            let message = refusal.downcast::<String>().unwrap();
            let expected = format!(
                "in capability \"main\", permission \"tasks:allow-start\" has an entry under \"{list}\" that the plugin can't read: "
            );
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    #[should_panic(expected = "begin with \"tasks:\"")]
    fn a_permission_without_the_prefix_is_refused() {
        base("default");
    }
}
