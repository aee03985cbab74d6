//! Writes the TypeScript types of the host app's tasks. Compiled only with the feature `specta`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use specta::{
    Format, FormatError, Type, Types,
    datatype::{DataType, Fields, NamedDataType, NamedReferenceType, Reference},
};
use specta_serde::{Phase, PhasesFormat, select_phase_datatype};
use specta_typescript::{Exporter, FrameworkExporter, Typescript};

/// Writes `Tasks`, the map of an app's tasks for `createTasks<Tasks>()`, as a TypeScript module.
///
/// Get it from [`Builder::typescript`](crate::Builder::typescript) in a test of the app. The test keeps the file up to
/// date, and a release build contains none of this:
///
/// ```
/// # use tauri_plugin_tasks::{Builder, Task, TaskContext, Never};
/// # async fn greet(_: TaskContext, name: String) -> Result<String, Never> { Ok(name) }
/// # fn tasks<R: tauri::Runtime>() -> Builder<R> { Builder::new().task(Task::new("greet", greet)) }
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("tasks.gen.ts");
/// # /*
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/tasks.gen.ts");
/// # */
/// let builder = tasks::<tauri::test::MockRuntime>();
/// # builder.typescript().write(&path)?;
/// match std::env::var_os("UPDATE_BINDINGS") {
///     Some(_) => builder.typescript().write(&path)?,
///     None => builder.typescript().check(&path)?,
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default, Clone)]
pub struct TypeScript {
    types: Types,
    tasks: Vec<TaskTypes>,
}

#[derive(Debug, Clone)]
struct TaskTypes {
    name: String,
    /// The name of the column, the direction the type travels in, and the type.
    columns: [(&'static str, Phase, DataType); 5],
}

/// Why the TypeScript module can't be rendered or written, or is not up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypeScriptError {
    /// A type has no equivalent in TypeScript, such as `u64`. Annotate its field with
    /// `#[specta(type = specta_typescript::Number)]`. If its `Type` is derived only with a feature, use
    /// `#[cfg_attr(feature = "bindings", specta(type = specta_typescript::Number))]`.
    #[error(
        "{0}; a 64-bit number needs #[specta(type = specta_typescript::Number)] on its field, or \
         #[cfg_attr(feature = \"bindings\", specta(type = specta_typescript::Number))] if its Type is derived with that feature"
    )]
    Type(String),
    /// The file can't be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file differs from the module that [`write`](TypeScript::write) would write now.
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

impl TypeScript {
    pub(crate) fn add<Input: Type, Detail: Type, Item: Type, Output: Type, Error: Type>(&mut self, name: &str) {
        // `definition` also adds every named type that it meets to `types`.
        let types = &mut self.types;
        let columns = [
            ("input", Phase::Deserialize, Input::definition(types)),
            ("detail", Phase::Serialize, Detail::definition(types)),
            ("item", Phase::Serialize, Item::definition(types)),
            ("output", Phase::Serialize, Output::definition(types)),
            ("error", Phase::Serialize, Error::definition(types)),
        ];
        self.tasks.push(TaskTypes { name: name.to_owned(), columns });
    }

    /// Returns the text of the module. Fails if a type has no equivalent in TypeScript.
    pub fn render(&self) -> Result<String, TypeScriptError> {
        let fail = |error: &dyn std::fmt::Display| TypeScriptError::Type(error.to_string());
        // Split a type into two if serde reads and writes it in different forms.
        let mut types = PhasesFormat.map_types(&self.types).map_err(|e| fail(&e))?.into_owned();
        let mut rows = Vec::new();
        let mut reached = Reached::default();
        for TaskTypes { name, columns } in &self.tasks {
            let mut row = Vec::new();
            for (column, phase, data_type) in columns {
                let mapped = PhasesFormat.map_type(&self.types, data_type).map_err(|e| fail(&e))?;
                let directed = select_phase_datatype(&mapped, &types, *phase);
                reached.add(&directed, &types);
                row.push((*column, directed));
            }
            rows.push((name.clone(), row));
        }
        reached.keep_only_these(&mut types);
        tell_apart(&mut types);

        let text = Exporter::from(Typescript::default())
            .framework_prelude(
                "// Generated by tauri-plugin-tasks from the tasks that this app registers. Do not edit.",
            )
            .framework_runtime(move |exporter| Ok(task_map(&rows, exporter)?.into()))
            .export(&types, AsTheyAre)
            .map_err(|e| fail(&e))?;
        Ok(text.trim_end().lines().map(|line| tidy_comment(line) + "\n").collect())
    }

    /// Writes the module to `path`, and makes its folders. A file that is up to date is left untouched.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TypeScriptError> {
        let path = path.as_ref();
        let text = self.render()?;
        if read(path) == text {
            return Ok(());
        }
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
        written.map_err(|source| TypeScriptError::Write { path: path.to_owned(), source })
    }

    /// Fails if the file at `path` differs from what [`write`](Self::write) would write.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), TypeScriptError> {
        let path = path.as_ref();
        let (old, new) = (read(path), self.render()?);
        if old == new {
            return Ok(());
        }
        let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or("(end of file)").to_owned();
        Err(TypeScriptError::OutOfDate { path: path.to_owned(), line: same + 1, old: line(&old), new: line(&new) })
    }
}

/// Removes a space: specta keeps the one after `///` in the text and writes another one before it.
fn tidy_comment(line: &str) -> String {
    for begin in ["/**", " *"] {
        if let Some((indent, text)) = line.split_once(begin)
            && indent.chars().all(|char| char == '\t')
            && let Some(text) = text.strip_prefix("  ")
        {
            return format!("{indent}{begin} {text}");
        }
    }
    line.to_owned()
}

/// Returns the file with Unix line ends, or an empty string if there is none.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n")
}

type Row = (String, Vec<(&'static str, DataType)>);

fn task_map(rows: &[Row], mut exporter: FrameworkExporter<'_>) -> Result<String, specta_typescript::Error> {
    let mut text =
        String::from("/** The tasks that this app registers: `createTasks<Tasks>()`. */\nexport type Tasks = {\n");
    for (name, columns) in rows {
        let key = serde_json::Value::from(name.as_str());
        let _ = writeln!(text, "\t{key}: {{");
        for (column, data_type) in columns {
            let reference = exporter.reference(data_type).map_err(|problem| {
                // Name the task, since the error has no path if the whole type is a number.
                specta_typescript::Error::framework(format!("the {column} of task {key}: {problem}"), "")
            })?;
            let _ = writeln!(text, "\t\t{column}: {reference};");
        }
        text += "\t};\n";
    }
    text += "};\n\n";
    text += &exporter.render_types()?;
    Ok(text)
}

/// A format that maps nothing: the types are mapped already.
struct AsTheyAre;

impl Format for AsTheyAre {
    fn map_types(&'_ self, types: &Types) -> Result<Cow<'_, Types>, FormatError> {
        Ok(Cow::Owned(types.clone()))
    }

    fn map_type(&'_ self, _: &Types, data_type: &DataType) -> Result<Cow<'_, DataType>, FormatError> {
        Ok(Cow::Owned(data_type.clone()))
    }
}

/// The named types that the tasks' types refer to, directly or through others.
#[derive(Default)]
struct Reached(BTreeSet<(String, String)>);

impl Reached {
    fn key(named: &NamedDataType) -> (String, String) {
        (format!("{} {}", named.module_path, named.location), named.name.to_string())
    }

    fn add(&mut self, data_type: &DataType, types: &Types) {
        match data_type {
            DataType::Primitive(_) | DataType::Generic(_) | DataType::Reference(Reference::Opaque(_)) => {}
            DataType::List(list) => self.add(&list.ty, types),
            DataType::Nullable(inner) => self.add(inner, types),
            DataType::Map(map) => {
                self.add(map.key_ty(), types);
                self.add(map.value_ty(), types);
            }
            DataType::Tuple(tuple) => tuple.elements.iter().for_each(|element| self.add(element, types)),
            DataType::Intersection(parts) => parts.iter().for_each(|part| self.add(part, types)),
            DataType::Struct(r#struct) => self.add_fields(&r#struct.fields, types),
            DataType::Enum(r#enum) => {
                r#enum.variants.iter().for_each(|(_, variant)| self.add_fields(&variant.fields, types));
            }
            DataType::Reference(Reference::Named(reference)) => {
                match &reference.inner {
                    NamedReferenceType::Inline { dt, .. } => return self.add(dt, types),
                    NamedReferenceType::Reference { generics, .. } => {
                        for (_, generic) in generics {
                            self.add(generic, types);
                        }
                    }
                    NamedReferenceType::Recursive(_) => {}
                }
                if let Some(named) = types.get(reference)
                    && self.0.insert(Self::key(named))
                    && let Some(inner) = &named.ty
                {
                    self.add(inner, types);
                }
            }
        }
    }

    fn add_fields(&mut self, fields: &Fields, types: &Types) {
        match fields {
            Fields::Unit => {}
            Fields::Unnamed(fields) => {
                fields.fields.iter().filter_map(|field| field.ty.as_ref()).for_each(|field| self.add(field, types));
            }
            Fields::Named(fields) => {
                fields
                    .fields
                    .iter()
                    .filter_map(|(_, field)| field.ty.as_ref())
                    .for_each(|field| self.add(field, types));
            }
        }
    }

    /// Hides all other types. Drops the suffix of each type that is needed in one direction only.
    fn keep_only_these(&self, types: &mut Types) {
        let names: BTreeSet<&str> = self.0.iter().map(|(_, name)| &**name).collect();
        types.iter_mut(|named| {
            if !self.0.contains(&Self::key(named)) {
                named.ty = None;
                return;
            }
            for (suffix, other) in [("_Serialize", "_Deserialize"), ("_Deserialize", "_Serialize")] {
                if let Some(base) = named.name.strip_suffix(suffix)
                    && !names.contains(base)
                    && !names.contains(&*format!("{base}{other}"))
                {
                    named.name = base.to_owned().into();
                    return;
                }
            }
        });
    }
}

/// Prefixes types that share a name with their module's name: `download::Stage` becomes `DownloadStage`.
fn tell_apart(types: &mut Types) {
    let mut count = BTreeMap::<String, usize>::new();
    for named in types.into_unsorted_iter().filter(|named| named.ty.is_some()) {
        *count.entry(named.name.to_string()).or_default() += 1;
    }
    types.iter_mut(|named| {
        if named.ty.is_some() && count.get(&*named.name).is_some_and(|count| *count > 1) {
            let module = named.module_path.rsplit("::").next().unwrap_or_default();
            named.name = format!("{}{}", pascal_case(module), named.name).into();
        }
    });
}

fn pascal_case(snake_case: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    snake_case.split('_').map(capital).collect()
}
