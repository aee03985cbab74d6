use std::{fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    changes::change_set::ChangeSet,
    json::Json,
    progress::Progress,
    record::{Record, cursor::Cursor, follower::Follower},
    task::event::{TaskEvent, TaskSnapshot},
};

/// Follows one task, whose progress details are of the type `D`. It returns each status change in order, and the newest
/// progress between them.
///
/// Nothing piles up while you don't read: progress is conflated, and the task keeps its last 32 status changes. If you
/// miss older ones, a [`TaskChange::Gap`](crate::TaskChange::Gap) says how many.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskChange, TaskContext, TaskManager};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let tasks = TaskManager::new(tokio::runtime::Handle::current());
/// let task = tasks.spawn("count", async |ctx: TaskContext| {
///     ctx.progress().total(3).set(3);
///     Ok::<_, Failure>(())
/// });
/// let mut watch = task.watch();
/// while let Some(event) = watch.next().await {
///     if let TaskChange::Progress(progress) = event.change {
///         assert_eq!(progress.fraction, Some(1.0));
///     }
/// }
/// # }
/// ```
pub struct TaskWatch<D = Json> {
    follower: Follower,
    watcher: Arc<ChangeSet<Record>>,
    cursor: Cursor,
    snapshot: TaskSnapshot,
    types: PhantomData<fn() -> D>,
}

impl<D> TaskWatch<D> {
    pub(crate) fn new(follower: Follower) -> Self {
        let record = follower.record();
        let watcher = Arc::<ChangeSet<Record>>::default();
        // Registered before the snapshot is taken, so that a change in between arrives as an event.
        record.add_watcher(&watcher);
        let (snapshot, cursor) = Cursor::new(record);
        Self { follower, watcher, cursor, snapshot, types: PhantomData }
    }

    /// Returns the task as it was when the watch began. The events come after it.
    pub fn snapshot(&self) -> &TaskSnapshot {
        &self.snapshot
    }

    /// Returns the next event, or `None` after the end. Cancel safe. A handler that awaits it may
    /// [lend its slots](crate::TaskHandle::outcome).
    pub async fn next(&mut self) -> Option<TaskEvent> {
        // A task that reports all the time must not starve the other tasks of tokio.
        tokio::task::consume_budget().await;
        loop {
            if let Some(event) = self.cursor.next(self.follower.record()) {
                if self.cursor.has_ended() {
                    self.follower.knows_the_end();
                }
                return Some(event);
            }
            if self.cursor.has_ended() {
                return None;
            }
            self.follower.awaits_a_change(self.watcher.changed()).await;
            self.watcher.take();
        }
    }
}

impl<D: DeserializeOwned> TaskWatch<D> {
    /// Returns the detail of a progress that this watch has returned, or `None` if it has none. Fails when the detail is
    /// not a `D`.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskChange, TaskKey, TaskManager};
    ///
    /// const EXPORT: TaskKey<String, (), Failure, Stage> = TaskKey::new("export");
    ///
    /// #[derive(Debug, serde::Serialize, serde::Deserialize)]
    /// enum Stage {
    ///     Reading,
    ///     Writing,
    /// }
    ///
    /// async fn export(tasks: &TaskManager, path: String) -> Result<(), Failure> {
    ///     let mut watch = tasks.start(EXPORT, path)?.watch();
    ///     while let Some(event) = watch.next().await {
    ///         if let TaskChange::Progress(progress) = event.change
    ///             && let Some(stage) = watch.detail(&progress)?
    ///         {
    ///             println!("{stage:?}");
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn detail(&self, progress: &Progress) -> Result<Option<D>, serde_json::Error> {
        progress.detail.as_ref().map(Json::read).transpose()
    }
}

impl<D> Drop for TaskWatch<D> {
    fn drop(&mut self) {
        self.follower.record().remove_watcher(&self.watcher);
    }
}

impl<D> fmt::Debug for TaskWatch<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskWatch").field("id", &self.follower.record().id).finish_non_exhaustive()
    }
}
