import type { OnConflict } from "../ipc/bindings.js";

/**
 * Options of {@link TasksClient.start}. Times are in milliseconds. One that doesn't fit, such as a label of more than 256
 * bytes, makes `start` reject with a {@link TaskError} of kind `invalidOptions`.
 *
 * @example
 * ```ts
 * await tasks.start("sync", input, { key: "library", onConflict: "join", label: "Sync the library", tags: ["sync"] });
 * ```
 */
export interface StartOptions {
  /**
   * Cancels the task. Aborted before: nothing is started, and `start` rejects with `signal.reason`. Aborted later:
   * `start` or `task.result` rejects with `signal.reason` at once, and the task is told to stop.
   *
   * A joined task (see `onConflict`) is not cancelled by the signal, since others wait for it, too: `start` or
   * `task.result` rejects all the same, and the task goes on. Cancel it explicitly if that is meant.
   */
  readonly signal?: AbortSignal | undefined;
  /** Higher runs earlier, among equals the older one; a whole number, 0 by default. */
  readonly priority?: number | undefined;
  /** It waits until `release` is called. */
  readonly held?: boolean | undefined;
  /** What it is about, in up to 256 bytes: no two tasks of a kind with the same key run at once. See `onConflict`. */
  readonly key?: string | undefined;
  /**
   * What happens when a live task of the kind has the key already. In brackets, what `WorkManager` on Android calls it:
   * - `refuse`, the default: `start` rejects with {@link TaskKeyTakenError};
   * - `join` (`KEEP`): nothing is started, and the handle is one of the live task, with the id of that and whatever input
   *   that was started with;
   * - `replace` (`REPLACE`): the live task is cancelled with the reason `replaced`, and the new one waits until it has
   *   really ended;
   * - `append` (`APPEND_OR_REPLACE`): the new task waits until the live one has ended, however it ends.
   *
   * What this page may not see it can only `append` to: the others reject as `refuse` does.
   */
  readonly onConflict?: OnConflict | undefined;
  /** What people call it, in up to 256 bytes. */
  readonly label?: string | undefined;
  /** Words to find it by with a {@link TaskQuery}: up to 16, of up to 256 bytes each. */
  readonly tags?: readonly string[] | undefined;
  /** How long it waits before it may have its turn, in milliseconds; it is `queued` meanwhile. */
  readonly delayMs?: number | undefined;
  /** The longest it may take from its first attempt on, waits between attempts included. Its kind may allow less. */
  readonly timeoutMs?: number | undefined;
  /** The longest it may take from now on, with all waiting. Its kind may allow less. */
  readonly deadlineMs?: number | undefined;
}

/** Options of {@link TasksClient.batch}. */
export interface BatchOptions {
  /** Cancels the batch with all its members, as that of {@link StartOptions} does a task. */
  readonly signal?: AbortSignal | undefined;
  /** How many members may run at once, within the other limits; 0 lets none run. No limit of its own by default. */
  readonly concurrency?: number | undefined;
  /** That of the members: higher runs earlier; a whole number, 0 by default. */
  readonly priority?: number | undefined;
  /** What people call the batch, in up to 256 bytes. */
  readonly label?: string | undefined;
  /** Words to find the batch and its members by: up to 16, of up to 256 bytes each. */
  readonly tags?: readonly string[] | undefined;
}

/** Options of {@link TasksClient.watch}. */
export interface WatchOptions {
  /** Stops watching. Aborted before the list is there: `watch` rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TasksClient.attach}. */
export interface AttachOptions {
  /**
   * The number of the item that `items`, `batches` and `stream` begin with (of the byte, for a kind that emits bytes); by
   * default the oldest that nobody has read. Kept together with what was made of the items, {@link TaskItems.position} makes
   * each item count exactly once across reloads.
   */
  readonly from?: number | undefined;
}
