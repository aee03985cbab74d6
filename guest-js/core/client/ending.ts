import { abortOf, onAbort } from "../callbacks/abort.js";
import { callGuarded } from "../callbacks/listeners.js";
import { OutcomeExpiredError } from "../errors/task-error.js";
import type { TaskOutcome } from "../types/outcome.js";
import type { Hold } from "./hold.js";
import { type Launched, leave } from "./launch.js";

/** The end of a task, as one handle waits for it. Its promises reject when the handle is let go of before the end. */
export interface Ending<R> {
  /** Returns the promise for the result, which the first call creates. If the outcome can't be fetched, the next call tries again. */
  result(): Promise<R>;
  /** Returns the promise for the outcome, as {@link Ending.result} does. */
  outcome(): Promise<TaskOutcome>;
  /** Resolves when the task is no longer live. */
  over(): Promise<void>;
  /**
   * Resolves when the task has completed, without fetching its output, or when the handle is let go of. Rejects with the same
   * errors as the result.
   */
  completed(): Promise<void>;
}

/**
 * Creates the ending for one handle. If the caller's signal is aborted, the result rejects at once, and the call's share in the task is
 * given back; a task that was attached to is let go of. `toResult` turns the output in the outcome into the result.
 */
export function createEnding<R>(
  hold: Hold,
  launched: Launched,
  toResult: (output: unknown) => R,
): Ending<R> {
  const { task } = hold;
  let aborted: { readonly reason: unknown } | undefined;
  let rejectResult = (_reason: unknown) => {};

  function abort(reason: unknown): void {
    const { call } = launched;
    if (call === undefined) {
      hold.lose(reason);
      return;
    }
    aborted = { reason };
    rejectResult(reason);
    void leave(call, () => {
      if (call !== task.id) hold.recheck();
    });
  }

  function listenTo(signal: AbortSignal): void {
    // The signal may have been aborted between the answer to the call and the creation of this handle.
    const before = abortOf(signal);
    if (before) {
      abort(before.reason);
      return;
    }
    const off = onAbort(signal, abort);
    const offOver = task.onOver(off);
    hold.onLost(() => {
      off();
      offOver();
    });
  }

  function over(): Promise<void> {
    if (task.phase !== "live") return task.closed;
    if (hold.lost) return Promise.reject(hold.lost.reason);
    // Not `task.closed.then`, which would keep the handle alive until the end of the task.
    return new Promise((resolve, reject) => {
      const offOver = task.onOver(() => {
        offLost();
        resolve(task.closed);
      });
      const offLost = hold.onLost((reason) => {
        offOver();
        reject(reason);
      });
    });
  }

  /** `failed` is called if the outcome can't be fetched now, but perhaps later. */
  async function findOutcome(failed: () => void): Promise<TaskOutcome> {
    await over();
    if (aborted && task.phase === "vanished") throw aborted.reason;
    return task.outcome().catch((error: unknown) => {
      if (!(error instanceof OutcomeExpiredError)) failed();
      throw error;
    });
  }

  function findResult(failed: () => void): Promise<R> {
    if (aborted) return Promise.reject(aborted.reason);
    return new Promise((resolve, reject) => {
      rejectResult = reject;
      findOutcome(failed)
        .then((found) => {
          if (found.status === "completed") resolve(toResult(found.output));
          else reject(found.error);
        })
        .catch(reject);
    });
  }

  /** Whoever lets go of a handle need not handle promises that he no longer waits for. */
  function forgive<T>(promise: Promise<T> | undefined): void {
    if (hold.lost) promise?.catch(() => {});
  }

  /** Returns a function that keeps the promise which `find` returns, until the outcome could not be fetched. */
  function kept<T>(find: (failed: () => void) => Promise<T>): () => Promise<T> {
    let promise: Promise<T> | undefined;
    hold.onLost(() => forgive(promise));
    return () => {
      if (promise) return promise;
      const found = find(() => {
        promise = undefined;
      });
      promise = found;
      forgive(found);
      return found;
    };
  }

  const result = kept(findResult);
  const outcome = kept(findOutcome);
  // The task is there already, so an error of the signal is only reported.
  if (launched.signal && task.phase === "live") callGuarded(listenTo, launched.signal);

  return {
    result,
    outcome,
    over,
    async completed() {
      try {
        await over();
      } catch (reason) {
        if (hold.lost) return;
        throw reason;
      }
      if (aborted) throw aborted.reason;
      // Don't fetch the output: it may be large, or no longer kept.
      if (task.snapshot?.status === "completed") return;
      const found = await task.outcome();
      if (found.status !== "completed") throw found.error;
    },
  };
}
