import type { TaskTypes } from "./kind.js";
import type { WatchOptions } from "./options.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskSnapshotOf } from "./snapshot.js";
import type { TaskHandle } from "./task-handle.js";

/**
 * Many tasks of one kind that were started together, from the page's side. It is a task itself, which ends when all its
 * members have: its progress is the sum of theirs (`fraction` the mean), and `cancel` cancels them all.
 *
 * It waits in no queue itself, so that `onQueue` never calls back, and `hold`, `release` and `setPriority` reject with
 * `notQueued`. Its members do: `tasks.attach` gives the handle of one.
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
    "result" | "outcome" | "retry" | "items" | "batches" | "bytes" | "stream"
  > {
  /**
   * What became of each member, in the order of the inputs, as `Promise.allSettled` would have it: `value` is the
   * member's output, `reason` the {@link TaskFailedError}, {@link TaskPanicError}, {@link TaskCancelledError} or
   * {@link TaskTimedOutError} that the member's own `result` rejects with. A member that fails doesn't make it reject;
   * it rejects as that of {@link TaskHandle} does, when the batch itself was cancelled for example.
   *
   * @example
   * ```ts
   * const failed = (await batch.result).filter((one) => one.status === "rejected");
   * ```
   */
  readonly result: Promise<PromiseSettledResult<T["output"]>[]>;

  /**
   * How the batch ended, with the outcomes of its members in the order of the inputs. This is where the handler's own
   * errors are typed. Rejects as that of {@link TaskHandle} does.
   *
   * @example
   * ```ts
   * const outcome = await batch.outcome;
   * if (outcome.status === "completed") outcome.output.forEach((member, i) => report(inputs[i], member));
   * ```
   */
  readonly outcome: Promise<TaskOutcome<TaskOutcome<T["output"], T["error"]>[]>>;

  /**
   * A live list of the members, in the order of the inputs, as that of {@link TasksClient.watch}: without those that the
   * plugin no longer keeps. `tasks.retry` starts one again, outside of the batch.
   *
   * @returns A function that ends the watching.
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
