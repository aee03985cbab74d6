use std::{collections::VecDeque, fmt, marker::PhantomData};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    error::{Error, refusal::Refusal},
    items::buffer::{Ask, Chunk, ReadRefusal},
    record::follower::Follower,
    task::id::TaskId,
};

/// Reads the items of a task one by one, in order. [`TaskHandle::items`](crate::TaskHandle::items) returns one.
///
/// From its first [`next`](Self::next) until it is dropped, it is the task's reader: the task waits for it when the
/// buffer is full. The next reader continues after the last item that this one returned.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskContext, TaskManager};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let tasks = TaskManager::new(tokio::runtime::Handle::current());
/// let task = tasks.spawn("count", async |ctx: TaskContext<(), u32>| {
///     for number in 1..=3 {
///         ctx.emit(number).await;
///     }
///     Ok::<_, Failure>(())
/// });
/// let mut items = task.items();
/// let mut sum = 0;
/// while let Some(number) = items.next().await {
///     sum += number?;
/// }
/// assert_eq!(sum, 6);
/// # Ok(()) }
/// ```
pub struct TaskItems<T> {
    reader: ChunkReader,
    items: VecDeque<Box<RawValue>>,
    types: PhantomData<fn() -> T>,
}

/// Reads the bytes of a task that emits bytes. [`TaskHandle::bytes`](crate::TaskHandle::bytes) returns one. It works
/// like [`TaskItems`].
pub struct TaskBytes {
    reader: ChunkReader,
}

struct ChunkReader {
    follower: Follower,
    name: String,
    /// The number of the chunk to ask for.
    chunk: u64,
    /// Whether it has asked for a chunk. If so, it may be the task's reader.
    asks: bool,
    position: u64,
    missed: u64,
    done: bool,
    /// The attempt of the chunk that it has read last.
    attempt: u32,
}

impl ChunkReader {
    fn new(follower: Follower) -> Self {
        Self {
            follower,
            name: TaskId::new().to_string(),
            chunk: 1,
            asks: false,
            position: 0,
            missed: 0,
            done: false,
            attempt: 0,
        }
    }

    /// Returns the next chunk, or `None` after the last one. Cancel safe.
    async fn read(&mut self) -> Result<Option<Chunk>, Error> {
        if self.done {
            return Ok(None);
        }
        let record = self.follower.record();
        let ask = Ask { reader: &self.name, label: "the app", chunk: self.chunk, from: None, holds: 1 };
        self.asks = true;
        let chunk = self.follower.awaits_items(record.items().read(ask)).await.map_err(|refusal| {
            // One that was taken for gone still has to say how far it has read.
            self.asks = matches!(refusal, ReadRefusal::Idled { .. });
            refusal.of(record.id)
        })?;
        self.chunk += 1;
        self.position = chunk.sequence;
        self.missed += chunk.missed;
        self.done = chunk.done;
        if chunk.segment.is_some() {
            self.attempt = chunk.attempt;
        }
        Ok(Some(chunk))
    }
}

impl Drop for ChunkReader {
    fn drop(&mut self) {
        if self.asks {
            self.follower.record().items().stop(&self.name, self.position);
        }
    }
}

impl<T: DeserializeOwned> TaskItems<T> {
    pub(crate) fn new(follower: &Follower) -> Self {
        Self { reader: ChunkReader::new(follower.clone()), items: VecDeque::new(), types: PhantomData }
    }

    /// Returns the next item, or `None` when the task has ended and all items were read. Cancel safe. A handler that
    /// awaits it may [lend its slots](crate::TaskHandle::outcome).
    ///
    /// Fails with [`ErrorKind::Locked`](crate::ErrorKind::Locked) while the task has another reader. Fails with
    /// [`ErrorKind::InvalidItem`](crate::ErrorKind::InvalidItem) for an item that is not a `T`; the next call returns
    /// the item after it. Fails with [`ErrorKind::ReaderGone`](crate::ErrorKind::ReaderGone) if this reader was taken for
    /// gone because it did not ask (`Task::idle_reader`); every later call fails the same way: stop the loop.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                self.reader.position += 1;
                return Some(serde_json::from_str(item.get()).map_err(|problem| self.misfit(&problem)));
            }
            let chunk = match self.reader.read().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let Some(segment) = chunk.segment else { continue };
            match serde_json::from_slice(&[b"[", segment.data(), b"]"].concat()) {
                Ok(items) => self.items = items,
                Err(problem) => return Some(Err(self.misfit(&problem))),
            }
        }
    }

    fn misfit(&self, problem: &serde_json::Error) -> Error {
        let task = self.reader.follower.record().name().to_owned();
        Refusal::InvalidItem { task, problem: problem.to_string() }.into()
    }
}

impl TaskBytes {
    pub(crate) fn new(follower: &Follower) -> Self {
        Self { reader: ChunkReader::new(follower.clone()) }
    }

    /// Returns the next bytes that are ready, up to 1 MiB, or `None` when the task has ended and all bytes were read.
    /// Cancel safe. A handler that awaits it may [lend its slots](crate::TaskHandle::outcome).
    ///
    /// Fails with [`ErrorKind::Locked`](crate::ErrorKind::Locked) while the task has another reader. Fails with
    /// [`ErrorKind::ReaderGone`](crate::ErrorKind::ReaderGone) if this reader was taken for gone because it did not ask
    /// (`Task::idle_reader`); every later call fails the same way: stop the loop.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Error>> {
        loop {
            match self.reader.read().await {
                Ok(Some(Chunk { segment: Some(segment), .. })) => {
                    let bytes = segment.data().to_vec();
                    self.reader.position = segment.end();
                    return Some(Ok(bytes));
                }
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<T> TaskItems<T> {
    /// Returns the number of the next item, counted from 0.
    pub fn position(&self) -> u64 {
        self.reader.position
    }

    /// Returns the number of the attempt that has emitted the item that [`next`](Self::next) has returned last, as in
    /// [`TaskSnapshot::attempt`](crate::TaskSnapshot::attempt); 0 before that. If it grows, the handler was called again,
    /// and emits from its beginning unless it knows better.
    pub fn attempt(&self) -> u32 {
        self.reader.attempt
    }

    /// Returns how many items were dropped before they could be read: see
    /// [`Unread::DropOldest`](crate::Unread::DropOldest).
    pub fn missed(&self) -> u64 {
        self.reader.missed
    }
}

impl TaskBytes {
    /// Returns the number of the next byte, counted from 0.
    pub fn position(&self) -> u64 {
        self.reader.position
    }

    /// Returns the number of the attempt that has emitted the bytes that [`next`](Self::next) has returned last, as in
    /// [`TaskSnapshot::attempt`](crate::TaskSnapshot::attempt); 0 before that. If it grows, the handler was called again,
    /// and emits from its beginning unless it knows better.
    pub fn attempt(&self) -> u32 {
        self.reader.attempt
    }

    /// Returns how many bytes were dropped before they could be read: see
    /// [`Unread::DropOldest`](crate::Unread::DropOldest).
    pub fn missed(&self) -> u64 {
        self.reader.missed
    }
}

impl<T> fmt::Debug for TaskItems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskItems").field("position", &self.position()).finish_non_exhaustive()
    }
}

impl fmt::Debug for TaskBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskBytes").field("position", &self.position()).finish_non_exhaustive()
    }
}
