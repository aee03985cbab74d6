use std::{fmt, marker::PhantomData, time::Duration};

use tauri::{AppHandle, Runtime};

use crate::{
    Handler,
    engine::{Kind, Policy},
};

/// A registered kind of work: a name, a handler, and how its tasks are treated.
///
/// Hand it to [`Builder::task`](crate::Builder::task).
///
/// ```
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};
///
/// async fn export(_ctx: TaskContext, path: String) -> Result<(), Failure> {
///     tokio::fs::write(path, "…").await?;
///     Ok(())
/// }
///
/// fn tasks<R: tauri::Runtime>() -> Builder<R> {
///     Builder::new().task(Task::new("export", export).grace(Duration::from_secs(10)))
/// }
/// ```
#[must_use = "a task is registered with `Builder::task`"]
pub struct Task<H, R, Form>
where
    R: Runtime,
    Form: 'static,
    H: Handler<R, Form>,
{
    pub(crate) name: String,
    handler: H,
    policy: Policy,
    describe: Option<fn(&H::Error) -> String>,
    types: PhantomData<fn(R) -> Form>,
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> Task<H, R, Form> {
    /// A kind of work that is started under `name`. See [`Handler`] for what `handler` can be.
    ///
    /// The name is what pages start and what scope entries match; it must not be empty and not be taken.
    pub fn new(name: impl Into<String>, handler: H) -> Self {
        Self { name: name.into(), handler, policy: Policy::default(), describe: None, types: PhantomData }
    }

    /// How long a handler that looks at its cancellation token may go on after a cancel before it is dropped.
    /// 5 seconds if nothing is said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = grace;
        self
    }

    /// Lets snapshots show the input. Without it nobody sees what a task was started with.
    pub fn show_input(mut self) -> Self {
        self.policy.show_input = true;
        self
    }

    /// Says in snapshots and messages what went wrong as the error's [`Display`](fmt::Display) does.
    ///
    /// Without it the words come from the error's JSON: its text if it is a string, its field `message` if it
    /// has one, and else the JSON itself.
    pub fn display_errors(mut self) -> Self
    where
        H::Error: fmt::Display,
    {
        self.describe = Some(ToString::to_string);
        self
    }

    /// Leaves the types behind.
    pub(crate) fn into_kind(self, app: &AppHandle<R>) -> Kind {
        let Self { name, handler, policy, describe, .. } = self;
        let app = app.clone();
        Kind::new(&name, policy, describe, move |context, input| handler.call(&app, context, input))
    }
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> fmt::Debug for Task<H, R, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
