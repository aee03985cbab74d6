import type { TaskTypes } from "../core/types/kind.js";
import type { TaskSnapshotOf } from "../core/types/snapshot.js";
import type { MockTask } from "./mock.js";
import type { KeptTask } from "./plugin/table.js";
import type { Runner } from "./scripts/runner.js";

/** Returns a task for a test to drive. */
export function driveTask<T extends TaskTypes>(kept: KeptTask, runner: Runner): MockTask<T> {
  const { id, task: name } = kept.snapshot;
  return {
    id,
    name,
    input: JSON.parse(kept.input),
    get snapshot() {
      // Nothing on the wire is typed: the caller vouches for `T`.
      return kept.snapshot as TaskSnapshotOf<T>;
    },
    get cancelled() {
      return kept.snapshot.cancelReason !== null;
    },
    progress(report) {
      runner.attempt(id);
      runner.progress(id, report);
    },
    emit: async (item) => runner.attempt(id).emit(item),
    complete: (value) => runner.attempt(id).end({ type: "returned", value }),
    fail: (error) => runner.attempt(id).end({ type: "thrown", error }),
    panic: (message) => runner.attempt(id).end({ type: "thrown", error: new Error(message) }),
    retry: (error, delayMs = 0) => runner.retry(id, error, delayMs),
    stop: () => runner.attempt(id).end({ type: "dropped" }),
  };
}
