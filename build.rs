//! Writes the permission files of the commands and the JSON schema of the scope entries.

#[path = "src/access/scope_entry.rs"]
#[allow(dead_code)]
mod scope_entry;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use scope_entry::{RawScopeEntry, Reach};

#[macro_use]
#[path = "src/ipc/commands/all_commands.rs"]
mod list;

macro_rules! names {
    ($($command:ident),*) => { &[$(stringify!($command)),*] };
}

const COMMANDS: &[&str] = all_commands!(names);

/// The commands whose permissions are written by hand, because these permissions also cover other commands: see
/// permissions/start.toml, permissions/trigger.toml and permissions/read.toml.
const BY_HAND: [&str; 3] = ["start", "trigger", "read"];

/// Which tasks a permission covers.
#[derive(schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct TasksScopeEntry {
    /// The name of a registered kind of task, or a pattern: `*` stands for any characters, `?` for one.
    task: String,
    /// The owners of the tasks: `"self"` (the default) for tasks that the page itself has started, `"any"` for all
    /// tasks. For `start`, it only affects existing tasks: which ones a start with a key may join or replace, and which
    /// ones may be rerun. An entry under `deny` applies to the tasks of all owners.
    ///
    /// An entry under `allow` never narrows: a page may use every command that it is allowed for all of its own tasks. So
    /// `"self"` only has an effect for `start`, `batch`, `rerun` and `trigger`, where the entry names what may be started.
    /// To keep a page from some of its tasks, name them under `deny`.
    #[serde(default)]
    owner: TasksScopeOwner,
}

#[derive(Default, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TasksScopeOwner {
    /// Tasks that the page itself has started. Changes nothing for a command that starts nothing.
    #[default]
    #[serde(rename = "self")]
    Own,
    /// Tasks that the app or any page has started.
    Any,
}

/// Never called: it stops compiling when the schema no longer matches the entries that the plugin reads.
#[allow(dead_code)]
fn in_step(RawScopeEntry { task, owner }: RawScopeEntry) -> TasksScopeEntry {
    let owner = match owner {
        Reach::Own => TasksScopeOwner::Own,
        Reach::Any => TasksScopeOwner::Any,
    };
    TasksScopeEntry { task, owner }
}

fn main() {
    // Without these lines, cargo reruns this script when any file of the package changes, even in node_modules.
    for path in
        ["build.rs", "src/access/scope_entry.rs", "src/ipc/commands/all_commands.rs", "permissions", "api-iife.js"]
    {
        println!("cargo:rerun-if-changed={path}");
    }
    let generated: Vec<_> = COMMANDS.iter().copied().filter(|command| !BY_HAND.contains(command)).collect();
    tauri_plugin::Builder::new(&generated)
        .global_api_script_path("./api-iife.js")
        .global_scope_schema(schemars::schema_for!(TasksScopeEntry))
        .build();
    if env::var_os("CARGO_FEATURE_TEST_APP").is_some() {
        embed_permission_files().unwrap_or_else(|error| panic!("the permission files can't be listed: {error}"));
    }
}

/// Writes an array of the texts of all permission files, for the test kit.
fn embed_permission_files() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let mut files = Vec::new();
    list_toml(&variable("CARGO_MANIFEST_DIR")?.join("permissions"), &mut files)?;
    files.sort();
    let texts: Vec<_> = files.iter().map(|file| format!("include_str!(r#\"{}\"#)", file.display())).collect();
    fs::write(variable("OUT_DIR")?.join("permission_files.rs"), format!("[{}]", texts.join(", ")))
}

fn list_toml(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list_toml(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
