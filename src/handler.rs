use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use tauri::{AppHandle, Runtime};

use crate::TaskContext;

/// The function that a task runs: an `async fn` or a closure, in one of two forms. Pass it to
/// [`Task::new`](crate::Task::new).
///
/// - `async fn(TaskContext<Detail, Item>, Input) -> Result<Output, Error>`
/// - `async fn(AppHandle<R>, TaskContext<Detail, Item>, Input) -> Result<Output, Error>`, for work that needs the app
///   or its managed state
///
/// A kind without an input takes `()`. The types are inferred from the function. The trait is sealed: it can't be
/// implemented by hand.
///
/// ```compile_fail,E0277
/// use tauri::{AppHandle, Runtime};
/// use tauri_plugin_tasks::{Failure, Handler, Never, TaskContext};
///
/// struct Mine;
///
/// impl<R: Runtime> Handler<R, ()> for Mine {
///     type Input = ();
///     type Detail = ();
///     type Item = Never;
///     type Output = ();
///     type Error = Failure;
///
///     fn call(
///         &self,
///         _: &AppHandle<R>,
///         _: TaskContext,
///         (): (),
///     ) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<R> {
///         async { Ok(()) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task handler",
    label = "not a task handler",
    note = "a handler is `async fn(TaskContext<Detail, Item>, Input) -> Result<Output, Error>`, with `AppHandle<R>` as its first argument if it needs the app",
    note = "the input must implement `serde::Deserialize`; the detail, item, output and error must implement `serde::Serialize`; and the future must be `Send`"
)]
pub trait Handler<R: Runtime, Form: 'static>: sealed::Sealed<R, Form> + Send + Sync + 'static {
    /// The input that a task is started with.
    type Input: DeserializeOwned + Send + 'static;
    /// The structured part of the progress, in addition to its numbers and text.
    type Detail: Serialize + 'static;
    /// The items that a task emits while it runs.
    type Item: Serialize + 'static;
    /// The value that the handler returns.
    type Output: Serialize + 'static;
    /// The error that the handler returns.
    type Error: Serialize + 'static;

    /// Calls the handler for one attempt.
    fn call(
        &self,
        app: &AppHandle<R>,
        context: TaskContext<Self::Detail, Self::Item>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send + 'static + use<Self, R, Form>;
}

/// The [`Handler`] form without the app.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct Alone<D, I, In>(PhantomData<fn(D, I, In)>);

/// The [`Handler`] form with the app.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct WithApp<D, I, In>(PhantomData<fn(D, I, In)>);

mod sealed {
    use super::{Alone, AppHandle, Runtime, TaskContext, WithApp};

    pub trait Sealed<R, Form> {}

    impl<R, F, Fut, D, I, In> Sealed<R, Alone<D, I, In>> for F where F: Fn(TaskContext<D, I>, In) -> Fut {}

    impl<R: Runtime, F, Fut, D, I, In> Sealed<R, WithApp<D, I, In>> for F where
        F: Fn(AppHandle<R>, TaskContext<D, I>, In) -> Fut
    {
    }
}

impl<R, F, Fut, D, I, In, O, E> Handler<R, Alone<D, I, In>> for F
where
    R: Runtime,
    F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    D: Serialize + 'static,
    I: Serialize + 'static,
    In: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    E: Serialize + 'static,
{
    type Input = In;
    type Detail = D;
    type Item = I;
    type Output = O;
    type Error = E;

    fn call(
        &self,
        _: &AppHandle<R>,
        context: TaskContext<D, I>,
        input: In,
    ) -> impl Future<Output = Result<O, E>> + Send + 'static + use<R, F, Fut, D, I, In, O, E> {
        self(context, input)
    }
}

impl<R, F, Fut, D, I, In, O, E> Handler<R, WithApp<D, I, In>> for F
where
    R: Runtime,
    F: Fn(AppHandle<R>, TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    D: Serialize + 'static,
    I: Serialize + 'static,
    In: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    E: Serialize + 'static,
{
    type Input = In;
    type Detail = D;
    type Item = I;
    type Output = O;
    type Error = E;

    fn call(
        &self,
        app: &AppHandle<R>,
        context: TaskContext<D, I>,
        input: In,
    ) -> impl Future<Output = Result<O, E>> + Send + 'static + use<R, F, Fut, D, I, In, O, E> {
        self(app.clone(), context, input)
    }
}
