//! Writes the permission files of the commands and the JSON schema of the scope entries.

#[path = "src/access/scope_entry.rs"]
#[allow(dead_code)]
mod scope_entry;

use scope_entry::{RawScopeEntry, Reach};

#[macro_use]
#[path = "src/ipc/commands/list.rs"]
mod list;

macro_rules! names {
    ($($command:ident),*) => { &[$(stringify!($command)),*] };
}

const COMMANDS: &[&str] = all_commands!(names);

/// Whose permissions are written by hand, since they cover other commands too: see permissions/start.toml and
/// permissions/read.toml.
const BY_HAND: [&str; 2] = ["start", "read"];

/// Which tasks a permission is about.
#[derive(schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct TasksScopeEntry {
    /// The name of a registered task, or a pattern of names: `*` stands for any characters, `?` for one.
    task: String,
    /// Whose tasks: `"self"` (if left out) for those that the page itself has started, `"any"` for everybody's.
    /// To `start` it makes a difference only for what is there already: whose tasks a start with a key may join or replace,
    /// and whose may be tried again. An entry under `deny` holds whoever owns the task.
    #[serde(default)]
    owner: TasksScopeOwner,
}

#[derive(Default, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TasksScopeOwner {
    /// Tasks that the page itself has started.
    #[default]
    #[serde(rename = "self")]
    Own,
    /// Tasks of the app and of every page.
    Any,
}

/// Never called: it stops compiling when the schema and what is read grow apart.
#[allow(dead_code)]
fn in_step(RawScopeEntry { task, owner }: RawScopeEntry) -> TasksScopeEntry {
    let owner = match owner {
        Reach::Own => TasksScopeOwner::Own,
        Reach::Any => TasksScopeOwner::Any,
    };
    TasksScopeEntry { task, owner }
}

fn main() {
    // Without these cargo looks at every file of the package, down into node_modules.
    for path in ["build.rs", "src/access/scope_entry.rs", "src/ipc/commands/list.rs", "permissions", "api-iife.js"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let generated: Vec<_> = COMMANDS.iter().copied().filter(|command| !BY_HAND.contains(command)).collect();
    tauri_plugin::Builder::new(&generated)
        .global_api_script_path("./api-iife.js")
        .global_scope_schema(schemars::schema_for!(TasksScopeEntry))
        .build();
}
