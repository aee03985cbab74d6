use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use tauri::{AppHandle, Runtime};

use crate::TaskContext;

/// What [`Task::new`](crate::Task::new) takes: an `async fn` or a closure, in one of two forms.
///
/// - `async fn(TaskContext<Detail, Item>, Input) -> Result<Output, Error>`
/// - `async fn(AppHandle<R>, TaskContext<Detail, Item>, Input) -> Result<Output, Error>`, for work that
///   needs the app, or state that is managed there
///
/// A kind without an input takes `()`. The types are inferred from the function. There is no need to
/// implement this by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no task handler",
    label = "no task handler",
    note = "a handler is `async fn(TaskContext<Detail, Item>, Input) -> Result<Output, Error>`, with `AppHandle<R>` as a first argument if it needs the app",
    note = "the input must implement `serde::Deserialize`, detail, item, output and error `serde::Serialize`, and the future must be `Send`"
)]
pub trait Handler<R: Runtime, Form: 'static>: Send + Sync + 'static {
    /// What the task is started with.
    type Input: DeserializeOwned + Send + 'static;
    /// What the progress says beside numbers and words.
    type Detail: Serialize + 'static;
    /// What the task emits on its way.
    type Item: Serialize + 'static;
    /// What it returns.
    type Output: Serialize + 'static;
    /// What it fails with.
    type Error: Serialize + 'static;

    /// Runs the handler once.
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
