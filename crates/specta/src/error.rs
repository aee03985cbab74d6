use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the TypeScript module can't be rendered or written, or is not up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypeScriptError {
    /// Kinds are registered, but their types were not named.
    #[error(
        "no types for {}: add `.task(name, handler)` or `.key(KEY)` for each, as they are registered",
        quoted(kinds)
    )]
    KindsWithoutTypes {
        /// The names of the kinds.
        kinds: Vec<String>,
    },
    /// Types were named for kinds that are not registered.
    #[error("no kind is registered as {}: correct the name, or remove it where its types are written", quoted(kinds))]
    TypesWithoutKind {
        /// The names that no kind has.
        kinds: Vec<String>,
    },
    /// The types of a kind were named twice.
    #[error("the types of {kind:?} are written twice: remove one of the two")]
    Twice {
        /// The name of the kind.
        kind: String,
    },
    /// The types are not those of the handler that is registered.
    #[error(
        "the {part} of {kind:?} is `{registered}` in its handler, but `{written}` where its types are written: pass the same \
         handler, or correct the key"
    )]
    OtherTypes {
        /// The name of the kind.
        kind: String,
        /// Which of its types: `input`, `detail`, `item`, `output` or `error`.
        part: &'static str,
        /// The type in the registered handler.
        registered: &'static str,
        /// The type that was named.
        written: &'static str,
    },
    /// Types can't be told apart by their names and modules, or a type can't have its name in TypeScript.
    #[error(
        "{} can't be called `{name}` in TypeScript: rename {}, or use #[serde(rename = \"…\")]",
        types.join(" and "),
        if types.len() > 1 { "one of them" } else { "it" }
    )]
    Name {
        /// The name that they would have.
        name: String,
        /// The paths of the types in Rust, with the places where they are defined.
        types: Vec<String>,
    },
    /// Two types of one name are defined in functions of one module, so specta takes them for one.
    #[error(
        "specta takes `{}` and `{}` for one type, since functions of one module define them: rename one of them, or move it \
         out of its function",
        types[0],
        types[1]
    )]
    TakenForOne {
        /// The paths of the types in Rust.
        types: [&'static str; 2],
    },
    /// A type has no equivalent in TypeScript.
    ///
    /// For a 64-bit number, such as `u64`, say so on its field:
    /// `#[specta(type = tauri_plugin_tasks_specta::Number)]`, or with `#[cfg_attr(test, specta(type = …))]` if the `Type` is
    /// derived only for tests.
    #[error("{0}")]
    Type(String),
    /// There is something at the path that can't be read as text. It is left as it is.
    #[error("can't read {}: {source}: {}", path.display(), remedy(path, source))]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file can't be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file differs from the module that [`write`](crate::TypeScript::write) would write now.
    #[error("{} is out of date from line {line} on: run the test again with UPDATE_BINDINGS=1\n- {old}\n+ {new}", path.display())]
    OutOfDate {
        /// The path of the file.
        path: PathBuf,
        /// The number of the first line that differs, from 1.
        line: usize,
        /// That line in the file.
        old: String,
        /// That line as it should be.
        new: String,
    },
}

impl TypeScriptError {
    /// Adds what to do about a 64-bit number, which specta does not say in terms of this crate.
    pub(crate) fn of_a_type(problem: String) -> Self {
        let hint = if problem.contains("BigInt") {
            "; put #[specta(type = tauri_plugin_tasks_specta::Number)] on its field, or #[cfg_attr(test, specta(type = \
             tauri_plugin_tasks_specta::Number))] if its Type is derived only for tests"
        } else {
            ""
        };
        Self::Type(problem + hint)
    }
}

/// Says what to do about a file that can't be read.
fn remedy(path: &Path, problem: &io::Error) -> &'static str {
    match problem.kind() {
        _ if path.is_dir() => "pass the path of a file, such as one in this folder",
        io::ErrorKind::NotADirectory => "correct the path, which goes through a file as if that were a folder",
        io::ErrorKind::PermissionDenied => "let the user who runs the test read it",
        io::ErrorKind::InvalidData => {
            "it is no module of types: pass another path, or delete it and run the test again with UPDATE_BINDINGS=1"
        }
        _ => "make it readable, or delete it and run the test again with UPDATE_BINDINGS=1",
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
