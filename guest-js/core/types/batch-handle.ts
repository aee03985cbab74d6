import type { TaskTypes } from "./kind.js";
import type { WatchOptions } from "./options.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskSnapshotOf } from "./snapshot.js";
import type { TaskHandle } from "./task-handle.js";

/**
 * A page's handle of a batch: tasks of one kind that were started together. The batch is a task itself. It ends when all its
 * members have ended; its progress is the sum of theirs, and `cancel` cancels them all. It has a `total` once those of all members
 * are known; until then `fraction` is the mean of theirs.
 *
 * A batch doesn't wait in a queue: `onQueue` never calls back, `pause` and `resume` reject with `notPausable`, and
 * `setPriority` with `notQueued`.
 * Its members do wait: `tasks.attach` returns a handle of a member.
 *
 * @example
 * ```ts
 * const batch = await tasks.batch("download", [{ url: a }, { url: b }], { concurrency: 2 });
 * batch.onProgress((p) => (bar.value = p.fraction ?? 0));
 * for (const one of await batch.result) {
 *   if (one.status === "rejected") explain(one.reason);
 * }
 * ```
 */
export interface BatchHandle<T extends TaskTypes = TaskTypes>
  extends Omit<
    TaskHandle<T>,
    "result" | "outcome" | "rerun" | "items" | "chunks" | "bytes" | "stream"
  > {
  /**
   * The results of the members, in the order of the inputs, as `Promise.allSettled` returns them: `value` is the member's output;
   * `reason` is the {@link TaskFailedError}, {@link TaskPanicError}, {@link TaskCancelledError} or {@link TaskTimedOutError} that
   * the member's own `result` rejects with. A failed member doesn't make this promise reject. It rejects as `result` of
   * {@link TaskHandle} does, for example if the batch itself was cancelled.
   *
   * @example
   * ```ts
   * const failed = (await batch.result).filter((one) => one.status === "rejected");
   * ```
   */
  readonly result: Promise<PromiseSettledResult<T["output"]>[]>;

  /**
   * How the batch ended, with the outcomes of its members in the order of the inputs. The handler's errors have their own type here.
   * Rejects as `outcome` of {@link TaskHandle} does.
   *
   * @example
   * ```ts
   * const outcome = await batch.outcome;
   * if (outcome.status === "completed") outcome.output.forEach((member, i) => report(inputs[i], member));
   * ```
   */
  readonly outcome: Promise<TaskOutcome<TaskOutcome<T["output"], T["error"]>[]>>;

  /**
   * Follows a live list of the members in the order of the inputs, as {@link TasksClient.watch} does, until the handle is detached.
   * Members that the plugin no longer keeps are missing from it. `tasks.rerun` starts a member again, but outside the batch.
   *
   * @returns A function that stops watching.
   *
   * @example
   * ```ts
   * const stop = await batch.watchMembers((members) => render(members));
   * ```
   */
  watchMembers(
    callback: (members: TaskSnapshotOf<T>[]) => void,
    options?: WatchOptions,
  ): Promise<() => void>;
}
