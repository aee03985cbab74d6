import type { TaskSnapshot } from "../ipc/bindings.js";
import type { BatchHandle } from "../types/batch-handle.js";
import type { WatchOptions } from "../types/options.js";
import type { TaskOutcome } from "../types/outcome.js";
import { createCommonHandle } from "./handle.js";
import type { Launched } from "./launch.js";
import type { Page } from "./page.js";

/** One user's view of a batch. */
export function createBatchHandle(page: Page, launched: Launched): BatchHandle {
  const { id } = launched.task;
  // What the outcome of a batch holds: see `batchFromWire`.
  const { handle: common } = createCommonHandle(launched, (output) =>
    (output as TaskOutcome[]).map(settled),
  );
  const handle = Object.assign(common, {
    watchMembers: (callback: (members: TaskSnapshot[]) => void, options?: WatchOptions) =>
      page.lists.watch({ parent: [id] }, callback, options?.signal),
  });
  return handle as BatchHandle;
}

function settled(outcome: TaskOutcome): PromiseSettledResult<unknown> {
  return outcome.status === "completed"
    ? { status: "fulfilled", value: outcome.output }
    : { status: "rejected", reason: outcome.error };
}
