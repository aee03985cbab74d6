import type { OnConflict } from "../ipc/bindings.js";

/**
 * Options of {@link TasksClient.start}. Times are in milliseconds. With an invalid option, such as a key of more than
 * 4 KiB or a priority that is no number, `start` rejects with a {@link TaskError} of kind `invalidOptions`.
 *
 * @example
 * ```ts
 * await tasks.start("sync", input, { key: "library", onConflict: "join", label: "Sync the library", tags: ["sync"] });
 * ```
 */
export interface StartOptions {
  /**
   * Gives up the task when aborted. If the signal is aborted before the start, nothing is started and `start` rejects with
   * `signal.reason`. If it is aborted later, `start` or `task.result` rejects with `signal.reason` at once, and this call gives back
   * the share that it has in the task.
   *
   * Each call that starts or joins a task (see `onConflict`) has a share of its own in it, whichever of them started it: two mounts of
   * a component have two. The task is asked to stop, with the reason `signal`, when the last share was given back; a task that the
   * app has started or joined is not. To stop a task for all, call {@link TaskHandle.cancel}. If this page doesn't own the task and
   * has no other share in it, it is told nothing more: `closed` resolves, and `outcome` rejects with `signal.reason`.
   *
   * A handle that was let go of with {@link TaskHandle.detach} keeps the share: the signal no longer has an effect. So does a call of
   * a document that has left, as by a reload, until the window is closed.
   */
  readonly signal?: AbortSignal | undefined;
  /** The priority: a whole number, 0 by default. A higher one runs earlier; of equal ones, the older task. */
  readonly priority?: number | undefined;
  /** Whether the task waits until `resume` is called. */
  readonly held?: boolean | undefined;
  /** What the task works on, in up to 4 KiB. Two tasks of a kind with the same key never run at once: see `onConflict`. */
  readonly key?: string | undefined;
  /**
   * What happens when a live task of the kind has the key already. In parentheses is what Android's `WorkManager` calls it:
   * - `refuse`, the default: `start` rejects with {@link TaskKeyTakenError};
   * - `join` (`KEEP`): nothing is started, and `start` returns a handle of the live task, with that task's id and input;
   * - `replace` (`REPLACE`): the live task is cancelled with the reason `replaced`, and the new task waits until the live one has
   *   really ended;
   * - `append` (`APPEND_OR_REPLACE`): the new task waits until the live one has ended, however it ends.
   *
   * If this page may not see the live task, only `append` works: `join` and `replace` reject as `refuse` does.
   */
  readonly onConflict?: OnConflict | undefined;
  /** A name to show to people. One of more than 256 bytes is cut at a character and ends with `…`. */
  readonly label?: string | undefined;
  /** Words to find the task by with a {@link TaskQuery}: up to 16, of up to 1 KiB each. */
  readonly tags?: readonly string[] | undefined;
  /** How long the task waits before it may run, in milliseconds. It is `queued` in the meantime. Sleep of the machine counts. */
  readonly delayMs?: number | undefined;
  /**
   * How long the task may take from the start of its first attempt, including waits between attempts. Its kind may allow less.
   * Sleep of the machine does not count.
   */
  readonly timeoutMs?: number | undefined;
  /** How long the task may take from now on, including all waiting and sleep of the machine. Its kind may allow less. */
  readonly deadlineMs?: number | undefined;
}

/** Options of {@link TasksClient.batch}. */
export interface BatchOptions {
  /** Gives up the batch when aborted, as the signal in {@link StartOptions} does: the batch is cancelled with all its members. */
  readonly signal?: AbortSignal | undefined;
  /** How many members may run at once, within all other limits; 0 lets none run. By default the batch adds no limit. */
  readonly concurrency?: number | undefined;
  /** The priority of the members: a whole number, 0 by default. A higher one runs earlier. */
  readonly priority?: number | undefined;
  /** A name of the batch to show to people. One of more than 256 bytes is cut at a character and ends with `…`. */
  readonly label?: string | undefined;
  /** Words to find the batch and its members by: up to 16, of up to 1 KiB each. */
  readonly tags?: readonly string[] | undefined;
}

/** Options of {@link TasksClient.list}. */
export interface ListOptions {
  /** How many tasks to return at most: a whole number from 1 to 10,000; 1,000 by default. */
  readonly limit?: number | undefined;
  /**
   * Returns only tasks that were accepted after this one, which is given by its `order`. Pass {@link TaskPage.next} of the previous
   * page; that works even if its last task was removed meanwhile. `null` begins with the oldest task, as an omitted `after` does.
   */
  readonly after?: number | null | undefined;
}

/** How often a callback is called. */
export interface PaceOptions {
  /**
   * The shortest time between two updates, in milliseconds: a whole number up to 3,600,000, which is an hour. The newest state comes
   * when the time is over, and ends come at once all the same. By default, there is at most about one update per frame.
   */
  readonly everyMs?: number | undefined;
}

/** Options of {@link TasksClient.watch} and {@link BatchHandle.watchMembers}. */
export interface WatchOptions extends PaceOptions {
  /** Stops watching when aborted. If that happens before `watch` has resolved, `watch` rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TasksClient.rerun} and {@link TaskHandle.rerun}. */
export interface RerunOptions {
  /** Gives up the new task when aborted, as the signal in {@link StartOptions} does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a callback is given: an event of the DOM, of a framework such as React, or of Tauri. {@link TaskHandle.rerun} takes it for no
 * options, so that it can be passed as a callback.
 */
export type CallbackEvent =
  | { readonly type: string; readonly signal?: undefined }
  | { readonly event: string; readonly payload: unknown; readonly signal?: undefined };

/** Options of {@link TasksClient.attachAll} and {@link TasksClient.attachBatch}. */
export interface FollowOptions {
  /**
   * Lets go of the task when aborted; the task goes on. If that happens before the call has resolved, it rejects with
   * `signal.reason`. If it happens later, the handle is detached, as by {@link TaskHandle.detach}, and `result` and `outcome` reject
   * with `signal.reason`.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TasksClient.attach}. */
export interface AttachOptions extends FollowOptions {
  /**
   * The number of the item that the first reading starts with, or of the byte if the kind emits bytes. By default, it starts with
   * the oldest item that nobody has read. To handle each item exactly once across reloads, save {@link TaskItems.position} together
   * with what you made of the items.
   */
  readonly from?: number | undefined;
}
