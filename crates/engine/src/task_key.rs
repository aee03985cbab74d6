use std::{fmt, marker::PhantomData};

use crate::items::item_type::Never;

/// The name of a kind of task, together with its types: what a start takes, and what the handler returns, reports and
/// emits.
///
/// Declare it once, as a constant, and pass it wherever the name of a kind is asked for. A handler, an input or an
/// output that doesn't fit the key doesn't compile.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskKey, TaskManager};
///
/// /// Counts the lines of a file. It takes the path, and returns their number or a `Failure`.
/// const COUNT_LINES: TaskKey<String, u32, Failure> = TaskKey::new("count-lines");
///
/// async fn count(tasks: &TaskManager, path: String) -> Result<u32, Failure> {
///     let task = tasks.start(COUNT_LINES, path)?;
///     Ok(task.result().await?)
/// }
/// ```
///
/// The key promises its types; the handler that is registered with it is held to them. To start and read a task, the
/// input must implement `Serialize`, and what is read `Deserialize`.
pub struct TaskKey<Input, Output, Error, Detail = (), Item = Never> {
    name: &'static str,
    types: PhantomData<fn(Input, Detail) -> (Output, Error, Item)>,
}

impl<Input, Output, Error, Detail, Item> TaskKey<Input, Output, Error, Detail, Item> {
    /// Returns a key for the kind registered as `name`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// Returns the name of the kind.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<Input, Output, Error, Detail, Item> Clone for TaskKey<Input, Output, Error, Detail, Item> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Input, Output, Error, Detail, Item> Copy for TaskKey<Input, Output, Error, Detail, Item> {}

impl<Input, Output, Error, Detail, Item> fmt::Debug for TaskKey<Input, Output, Error, Detail, Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskKey").field(&self.name).finish()
    }
}

/// For what takes the name of a kind as a `String`, such as [`TaskFilter::task`](crate::TaskFilter::task) and
/// [`LimitOf::Task`](crate::LimitOf::Task).
impl<Input, Output, Error, Detail, Item> From<TaskKey<Input, Output, Error, Detail, Item>> for String {
    fn from(key: TaskKey<Input, Output, Error, Detail, Item>) -> Self {
        key.name.to_owned()
    }
}
