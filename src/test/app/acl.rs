//! The plugin's own permission files, and the capabilities that use them.

use std::sync::OnceLock;

use tauri::utils::acl::{
    capability::{Capability, CapabilityFile},
    manifest::{Manifest, PermissionFile},
};

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
    let file: CapabilityFile = text.parse().unwrap_or_else(|error| panic!("this is no capability: {error}\n{text}"));
    let mut capabilities = match file {
        CapabilityFile::Capability(capability) => vec![capability],
        CapabilityFile::List(capabilities) | CapabilityFile::NamedList { capabilities } => capabilities,
    };
    for capability in &mut capabilities {
        capability.permissions.retain(|entry| entry.identifier().get_prefix() == Some(PREFIX));
        for entry in &capability.permissions {
            check(entry.identifier().get_base());
        }
    }
    capabilities.retain(|capability| !capability.permissions.is_empty());
    capabilities
}

/// Panics if the plugin has no permission of this name, which is without the prefix.
pub(super) fn check(name: &str) {
    let names = names();
    assert!(
        names.iter().any(|known| known == name),
        "the plugin has no permission \"{PREFIX}:{name}\": it has {}",
        names.iter().map(|known| format!("{PREFIX}:{known}")).collect::<Vec<_>>().join(", ")
    );
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
    #[should_panic(expected = "the plugin has no permission \"tasks:allow-strat\": it has tasks:allow-ack")]
    fn an_unknown_permission_is_told_with_those_that_there_are() {
        capabilities(r#"{ "identifier": "main", "permissions": ["tasks:allow-strat"] }"#);
    }

    #[test]
    #[should_panic(expected = "begin with \"tasks:\"")]
    fn a_permission_without_the_prefix_is_refused() {
        base("default");
    }
}
