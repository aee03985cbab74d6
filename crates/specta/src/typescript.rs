use std::{collections::BTreeSet, env, marker::PhantomData, path::Path};

use specta::{Type, Types};
use tauri::Runtime;
use tauri_plugin_tasks::{Builder, Handler, HandlerTypes, TaskKey};

use crate::{columns::Columns, error::TypeScriptError, file, task_map};

/// Writes `Tasks`, the map of an app's tasks for `createTasks<Tasks>()`, as a TypeScript module.
///
/// Name the types of each kind that the app registers, with [`task`](Self::task) or [`key`](Self::key), then compare the
/// module with its file, with [`assert_current`](Self::assert_current). A kind without types, types for no kind, and types
/// that are not those of the registered handler are refused.
///
/// A type that can't keep its name gets that of its module in front: two types called `Stage`, in the modules `download` and
/// `upload`, become `DownloadStage` and `UploadStage`, and a type called `Tasks` in the module `jobs` becomes `JobsTasks`.
#[derive(Debug, Clone)]
#[must_use = "compare it with its file: `assert_current`"]
pub struct TypeScript<R: Runtime> {
    registered: Vec<(String, HandlerTypes)>,
    written: Vec<(String, HandlerTypes)>,
    tasks: Vec<(String, Columns)>,
    types: Types,
    runtime: PhantomData<fn(R)>,
}

impl<R: Runtime> TypeScript<R> {
    /// Begins with no types for the kinds that are registered so far.
    pub fn new(builder: &Builder<R>) -> Self {
        Self {
            registered: builder.handler_types().map(|(name, types)| (name.to_owned(), *types)).collect(),
            written: Vec::new(),
            tasks: Vec::new(),
            types: Types::default(),
            runtime: PhantomData,
        }
    }

    /// Takes the types of the kind `name` from its handler. Pass what [`Task::new`](tauri_plugin_tasks::Task::new) gets.
    pub fn task<H, Form>(self, name: impl Into<String>, handler: H) -> Self
    where
        H: Handler<R, Form, Input: Type, Detail: Type, Item: Type, Output: Type, Error: Type>,
        Form: 'static,
    {
        drop(handler);
        self.add::<H::Input, H::Detail, H::Item, H::Output, H::Error>(name.into())
    }

    /// Takes the types of a kind from its key.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Builder, Never, Task, TaskContext, TaskKey};
    /// use tauri_plugin_tasks_specta::TypeScript;
    ///
    /// const GREET: TaskKey<String, String, Never> = TaskKey::new("greet");
    ///
    /// async fn greet(_ctx: TaskContext, name: String) -> Result<String, Never> {
    ///     Ok(format!("Hello, {name}!"))
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().task(Task::new(GREET, greet))
    /// }
    ///
    /// let module = TypeScript::new(&tasks::<tauri::test::MockRuntime>()).key(GREET).render()?;
    /// assert!(module.contains("\"greet\": {\n\t\tinput: string;"));
    /// # Ok::<_, tauri_plugin_tasks_specta::TypeScriptError>(())
    /// ```
    pub fn key<Input, Output, Error, Detail, Item>(self, key: TaskKey<Input, Output, Error, Detail, Item>) -> Self
    where
        Input: Type + 'static,
        Output: Type + 'static,
        Error: Type + 'static,
        Detail: Type + 'static,
        Item: Type + 'static,
    {
        self.add::<Input, Detail, Item, Output, Error>(key.name().to_owned())
    }

    fn add<Input, Detail, Item, Output, Error>(mut self, name: String) -> Self
    where
        Input: Type + 'static,
        Detail: Type + 'static,
        Item: Type + 'static,
        Output: Type + 'static,
        Error: Type + 'static,
    {
        let columns = Columns::new::<Input, Detail, Item, Output, Error>(&mut self.types);
        self.written.push((name.clone(), HandlerTypes::of::<Input, Detail, Item, Output, Error>()));
        self.tasks.push((name, columns));
        self
    }

    /// Returns the text of the module. Fails if the kinds differ from those that are registered, or if a type has no
    /// equivalent in TypeScript.
    pub fn render(&self) -> Result<String, TypeScriptError> {
        self.compare()?;
        task_map::render(&self.in_order(), &self.types)
    }

    /// Writes the module to `path`, and makes its folders. A file that is up to date is left untouched, and so is something
    /// that can't be read as text, which is an error. A relative path begins at the folder of the package that is tested.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TypeScriptError> {
        file::write(&file::of_the_package(path.as_ref()), &self.render()?)
    }

    /// Fails if the file at `path` differs from what [`write`](Self::write) would write, is missing or can't be read.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), TypeScriptError> {
        file::check(&file::of_the_package(path.as_ref()), &self.render()?)
    }

    /// [Checks](Self::check) the file at `path`. If the environment has `UPDATE_BINDINGS=1`, [writes](Self::write) it instead.
    ///
    /// # Panics
    ///
    /// Panics if that fails. The message says what to do.
    #[track_caller]
    pub fn assert_current(&self, path: impl AsRef<Path>) {
        let writes = env::var_os("UPDATE_BINDINGS").is_some_and(|value| !value.is_empty() && value != "0");
        let done = if writes { self.write(path) } else { self.check(path) };
        // Not `unwrap`, which would hide what the message says to do.
        done.unwrap_or_else(|error| panic!("{error}"));
    }

    fn compare(&self) -> Result<(), TypeScriptError> {
        let mut names = BTreeSet::new();
        if let Some((kind, _)) = self.written.iter().find(|(name, _)| !names.insert(name)) {
            return Err(TypeScriptError::Twice { kind: kind.clone() });
        }
        let kinds = missing(&self.registered, &self.written);
        if !kinds.is_empty() {
            return Err(TypeScriptError::KindsWithoutTypes { kinds });
        }
        let kinds = missing(&self.written, &self.registered);
        if !kinds.is_empty() {
            return Err(TypeScriptError::TypesWithoutKind { kinds });
        }
        for (kind, registered) in &self.registered {
            let written = self.written.iter().find(|(name, _)| name == kind);
            if let Some((part, registered, written)) = written.and_then(|(_, written)| registered.differs_from(written))
            {
                return Err(TypeScriptError::OtherTypes { kind: kind.clone(), part, registered, written });
            }
        }
        Ok(())
    }

    /// Returns the tasks in the order of their registration, whatever the order in which their types were named.
    fn in_order(&self) -> Vec<(String, Columns)> {
        let task = |kind: &String| self.tasks.iter().find(|(name, _)| name == kind).cloned();
        self.registered.iter().filter_map(|(kind, _)| task(kind)).collect()
    }
}

/// Returns the names in `all` that are not in `found`.
fn missing<T>(all: &[(String, T)], found: &[(String, T)]) -> Vec<String> {
    all.iter().map(|(name, _)| name).filter(|name| !found.iter().any(|(found, _)| found == *name)).cloned().collect()
}
