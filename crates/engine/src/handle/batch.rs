use std::{fmt, marker::PhantomData, ops::Deref};

use serde::de::DeserializeOwned;

use super::{TaskHandle, Types};
use crate::{
    items::item_type::Never,
    json::Json,
    task::{outcome::Outcome, task_error::TaskError},
    task_name::TaskName,
};

/// A handle to a batch. `O`, `E`, `D` and `I` are the types of its members: see [`TaskHandle`].
///
/// A batch is a task itself, so a batch handle also has all methods of a [`TaskHandle`]: `cancel` cancels all members,
/// and the progress is the sum of theirs. [`TaskManager::batch`](crate::TaskManager::batch) and
/// [`TaskManager::attach_batch`](crate::TaskManager::attach_batch) return one.
pub struct BatchHandle<O = Json, E = Json, D = Json, I = Json> {
    batch: TaskHandle,
    types: Types<O, E, D, I>,
}

/// The [`BatchHandle`] with the types of the key `K`; if `K` is the type of a name, the one without types.
pub type BatchOf<K> =
    BatchHandle<<K as TaskName>::Output, <K as TaskName>::Error, <K as TaskName>::Detail, <K as TaskName>::Item>;

impl<O, E, D, I> BatchHandle<O, E, D, I> {
    /// `batch` is a handle of a batch.
    pub(crate) fn new(batch: TaskHandle) -> Self {
        Self { batch, types: PhantomData }
    }

    /// Returns handles to the members that are still kept, in the order of their inputs.
    pub fn members(&self) -> Vec<TaskHandle<O, E, D, I>> {
        let TaskHandle { engine, schedules, follower, .. } = &self.batch;
        let ids = follower.record().members.iter().flatten();
        let members = ids.filter_map(|id| engine.find(*id));
        members.map(|member| TaskHandle::new(engine, schedules, follower.of_member(&member))).collect()
    }
}

impl<O: DeserializeOwned, E: DeserializeOwned, D, I> BatchHandle<O, E, D, I> {
    /// Waits until all members have ended, and returns their results in the order of the inputs. A member that has not
    /// completed doesn't make it fail. You can call it more than once. Cancel safe. A handler that awaits it may
    /// [lend its slots](TaskHandle::outcome).
    ///
    /// Fails when the batch itself was cancelled or has reached a time limit.
    ///
    /// ```no_run
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{BatchOptions, Failure, TaskKey, TaskManager};
    ///
    /// const FETCH: TaskKey<String, u64, Failure> = TaskKey::new("fetch");
    ///
    /// async fn fetch_all(tasks: &TaskManager, urls: Vec<String>) -> Result<u64, Failure> {
    ///     let batch = tasks.batch(FETCH, urls, BatchOptions::new().concurrency(4))?;
    ///     let results = batch.result().await?;
    ///     Ok(results.into_iter().filter_map(Result::ok).sum())
    /// }
    /// ```
    pub async fn result(&self) -> Result<Vec<Result<O, TaskError<E>>>, TaskError<Never>> {
        let outcomes: Vec<Outcome> = self.batch.outcome().await.into_result()?;
        Ok(outcomes.into_iter().map(Outcome::into_result).collect())
    }
}

impl<O, E, D, I> Deref for BatchHandle<O, E, D, I> {
    type Target = TaskHandle;

    fn deref(&self) -> &Self::Target {
        &self.batch
    }
}

impl<O, E, D, I> Clone for BatchHandle<O, E, D, I> {
    fn clone(&self) -> Self {
        Self { batch: self.batch.clone(), types: self.types }
    }
}

impl<O, E, D, I> fmt::Debug for BatchHandle<O, E, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchHandle").field("id", &self.id()).field("status", &self.status()).finish_non_exhaustive()
    }
}
