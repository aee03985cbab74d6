use serde::{Serialize, de::DeserializeOwned};
use tauri::{AppHandle, Runtime, Wry};
use tauri_plugin_tasks_engine::test::TestTask;

use crate::{
    Handler, Task, TaskContext,
    handler::{Alone, WithApp},
};

/// For [`TestTask::of`], of a kind whose handler doesn't take the app.
impl<H, Fut, D, I, In, O, E> From<Task<H, Wry, Alone<D, I, In>>> for TestTask<In, O, E, D, I>
where
    H: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    D: Serialize + 'static,
    I: Serialize + 'static,
    In: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    E: Serialize + 'static,
{
    fn from(task: Task<H, Wry, Alone<D, I, In>>) -> Self {
        let Task { name, handler, policy, errors, .. } = task;
        Self::with_policy(name, policy, errors, handler)
    }
}

impl<R, D, I, In, H> Task<H, R, WithApp<D, I, In>>
where
    R: Runtime,
    D: 'static,
    I: 'static,
    In: 'static,
    H: Handler<R, WithApp<D, I, In>, Input = In, Detail = D, Item = I>,
{
    /// Returns a test of this kind, whose handler gets this app: see [`TestTask::of`]. Where no real app can be opened, take
    /// one of `tauri::test`, which is behind a feature of Tauri:
    ///
    /// ```
    /// use tauri::{AppHandle, Manager, Runtime};
    /// use tauri_plugin_tasks::{
    ///     Failure, Task, TaskContext,
    ///     test::TestOutcome,
    /// };
    ///
    /// struct Greeting(&'static str);
    ///
    /// async fn greet<R: Runtime>(app: AppHandle<R>, _ctx: TaskContext, name: String) -> Result<String, Failure> {
    ///     Ok(format!("{} {name}", app.state::<Greeting>().0))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let app = tauri::test::mock_app();
    /// app.manage(Greeting("Hello"));
    /// let report = Task::new("greet", greet).test_with(app.handle()).run("Ada").await.unwrap();
    /// assert_eq!(report.outcome, TestOutcome::Completed("Hello Ada".into()));
    /// # }
    /// ```
    pub fn test_with(self, app: &AppHandle<R>) -> TestTask<In, H::Output, H::Error, D, I> {
        let Self { name, handler, policy, errors, .. } = self;
        let app = app.clone();
        TestTask::with_policy(name, policy, errors, move |context, input| handler.call(&app, context, input))
    }
}
