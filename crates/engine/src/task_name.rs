//! What names a kind of task in a call: a [`TaskKey`], which has types, or a name, which has none.

use crate::{json::Json, task_key::TaskKey};

/// Names a kind of task: a [`TaskKey`], or any text, such as a `&str` or a `String`.
///
/// A call that takes a key returns a handle with the key's types. A call that takes a name returns one that knows no
/// types, and so reads everything as [`Json`]: use names where the kind is known only at run time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no kind of task",
    label = "neither a `TaskKey` nor a name",
    note = "pass a `TaskKey`, or the name of the kind as a `&str` or a `String`"
)]
pub trait TaskName: sealed::Sealed {
    /// What the handler returns.
    type Output;
    /// The error that the handler returns.
    type Error;
    /// The structured part of the handler's progress.
    type Detail;
    /// What the handler emits.
    type Item;

    /// Returns the name of the kind.
    fn task_name(&self) -> &str;
}

/// Names a kind of task that is started with an `Input`. A [`TaskKey`] takes exactly its own input type. A name takes
/// every type: whether the input fits is checked when it is read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes another input than `{Input}`",
    label = "its input type is not `{Input}`",
    note = "the first type of a `TaskKey` is its input, and the value must have exactly that type: a `String` is not a `&str`, and a reference is not the value"
)]
pub trait TakesInput<Input>: TaskName {}

/// Names a kind of task whose handler has these types. A [`TaskKey`] does if its own types are the same, one by one. A
/// name fits every handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit this handler",
    label = "the handler's key is `TaskKey<{Input}, {Output}, {Error}, {Detail}, {Item}>`",
    note = "compare the types of the key, in this order: input, output, error, detail (`()` if it is left out), item (`Never` if it is left out)",
    note = "the detail and the item are those of the handler's `TaskContext<Detail, Item>`"
)]
pub trait FitsHandler<Input, Output, Error, Detail, Item>: TaskName {}

mod sealed {
    pub trait Sealed {}
}

impl<Input, Output, Error, Detail, Item> sealed::Sealed for TaskKey<Input, Output, Error, Detail, Item> {}

impl<Input, Output, Error, Detail, Item> TaskName for TaskKey<Input, Output, Error, Detail, Item> {
    type Output = Output;
    type Error = Error;
    type Detail = Detail;
    type Item = Item;

    fn task_name(&self) -> &str {
        self.name()
    }
}

impl<Input, Output, Error, Detail, Item> TakesInput<Input> for TaskKey<Input, Output, Error, Detail, Item> {}

impl<Input, Output, Error, Detail, Item> FitsHandler<Input, Output, Error, Detail, Item>
    for TaskKey<Input, Output, Error, Detail, Item>
{
}

impl<S: AsRef<str>> sealed::Sealed for S {}

impl<S: AsRef<str>> TaskName for S {
    type Output = Json;
    type Error = Json;
    type Detail = Json;
    type Item = Json;

    fn task_name(&self) -> &str {
        self.as_ref()
    }
}

impl<S: AsRef<str>, Input> TakesInput<Input> for S {}

impl<S: AsRef<str>, Input, Output, Error, Detail, Item> FitsHandler<Input, Output, Error, Detail, Item> for S {}
