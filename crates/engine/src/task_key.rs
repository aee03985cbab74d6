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
    types: Types<Input, Output, Error, Detail, Item>,
}

type Types<Input, Output, Error, Detail, Item> = PhantomData<fn(Input) -> (Output, Error, Detail, Item)>;

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

/// One call, as a doctest: a test of what compiles, and of what doesn't.
#[cfg(doctest)]
macro_rules! call {
    ($fence:literal, $call:literal) => {
        concat!(
            "```",
            $fence,
            "\n# extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;\n",
            "use tauri_plugin_tasks::*;\n",
            "const COUNT: TaskKey<String, u32, Failure> = TaskKey::new(\"count\");\n",
            "const SUM: TaskKey<u64, u64, Failure> = TaskKey::new(\"sum\");\n",
            "macro_rules! kind { ($key:expr, $handler:expr) => { ",
            "delivery::Kind::new($key, Default::default(), Default::default(), $handler) } }\n",
            "fn call(tasks: &TaskManager, id: TaskId, path: String, every: Schedule) {\n    let _ = ",
            $call,
            ";\n}\n```\n"
        )
    };
}

// Each call that doesn't compile comes after one that differs only in what is wrong with it.
#[cfg(doctest)]
#[doc = call!("", "tasks.start(COUNT, path)")]
#[doc = call!("compile_fail,E0308", "tasks.start(COUNT, 7)")]
#[doc = call!("", "tasks.start(COUNT, \"a\".to_owned())")]
#[doc = call!("compile_fail,E0308", "tasks.start(COUNT, \"a\")")]
#[doc = call!("", "tasks.start(SUM, 7_u64)")]
#[doc = call!("compile_fail,E0308", "tasks.start(SUM, 7_u32)")]
#[doc = call!("", "tasks.start_with(SUM, 7, StartOptions::new())")]
#[doc = call!("compile_fail,E0308", "tasks.start_with(SUM, (), StartOptions::new())")]
#[doc = call!("", "tasks.batch(COUNT, [path], BatchOptions::new())")]
#[doc = call!("compile_fail,E0271", "tasks.batch(COUNT, [7], BatchOptions::new())")]
#[doc = call!("", "tasks.schedule(\"a\", SUM, 7, every)")]
#[doc = call!("compile_fail,E0308", "tasks.schedule(\"a\", SUM, path, every)")]
#[doc = call!("", "tasks.start(\"count\", path)")]
#[doc = call!("compile_fail,E0277", "tasks.start(7, path)")]
#[doc = call!("", "tasks.cancel_with(id, \"enough\")")]
#[doc = call!("compile_fail,E0277", "tasks.cancel_with(id, CancelReason::Shutdown)")]
#[doc = call!("", "kind!(SUM, async |_: TaskContext, n: u64| Ok::<u64, Failure>(n))")]
#[doc = call!("compile_fail,E0631", "kind!(SUM, async |_: TaskContext, n: u32| Ok::<u64, Failure>(n.into()))")]
#[doc = call!("", "kind!(\"sum\", async |_: TaskContext, n: u32| Ok::<u32, Failure>(n))")]
#[doc = call!("compile_fail,E0631", "kind!(SUM, async |_: TaskContext<u8>, n: u64| Ok::<u64, Failure>(n))")]
struct Misfits;
