use serde::{Serialize, de::DeserializeOwned};
use tauri::{AppHandle, Runtime, Wry};
use tauri_plugin_tasks_engine::test::{IntoTestTask, TestTask};

use crate::{
    Handler, Task, TaskContext,
    handler::{Alone, WithApp},
};

/// A kind whose handler doesn't take the app.
impl<H, Fut, D, I, In, O, E> IntoTestTask<In, O, E, D, I> for Task<H, Wry, Alone<D, I, In>>
where
    H: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    D: Serialize + 'static,
    I: Serialize + 'static,
    In: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    E: Serialize + 'static,
{
    fn into_test_task(self) -> TestTask<In, O, E, D, I> {
        let Self { name, handler, policy, errors, .. } = checked(self);
        TestTask::with_policy(name, policy, errors, handler)
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
    /// one of `tauri::test`, which is behind a feature of Tauri: `cargo add --dev tauri --features test`.
    ///
    /// Such an app has no tasks: a handler that calls [`TasksExt::tasks`](crate::TasksExt::tasks) panics there. Give it
    /// `test::app(tasks()).handle()` instead, of the feature `test-app`, with the kinds that it starts, and test it in real
    /// time: the tasks that it starts run on the runtime of the app, which paused time doesn't wait for, so the time of the
    /// handler would leap past its limits meanwhile.
    ///
    /// # Panics
    ///
    /// Panics if the rules can't be meant, as the app then doesn't start: see [Mistakes](Task#mistakes).
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
        let Self { name, handler, policy, errors, .. } = checked(self);
        let app = app.clone();
        TestTask::with_policy(name, policy, errors, move |context, input| handler.call(&app, context, input))
    }
}

/// Returns the kind. Panics if an app with it doesn't start.
fn checked<H: Handler<R, Form>, R: Runtime, Form: 'static>(task: Task<H, R, Form>) -> Task<H, R, Form> {
    task.check().unwrap_or_else(|mistake| panic!("{mistake}"));
    task
}
