import type { TaskSnapshot } from "../ipc/bindings.js";
import type * as types from "../types/batch-handle.js";
import type { WatchOptions } from "../types/options.js";
import type { TaskOutcome } from "../types/outcome.js";
import { CommonHandle } from "./common-handle.js";
import type { Launched } from "./launch.js";
import { toPace } from "./pace.js";
import type { Page } from "./page.js";
import { createResult } from "./result.js";

/** One caller's handle of a batch. */
export class BatchHandle
  extends CommonHandle<PromiseSettledResult<unknown>[], TaskOutcome[]>
  implements types.BatchHandle
{
  readonly watchMembers: (
    callback: (members: TaskSnapshot[]) => void,
    options?: WatchOptions,
  ) => Promise<() => void>;

  constructor(page: Page, launched: Launched) {
    // The output of a batch holds the outcomes of its members: see `batchFromWire`.
    super(
      launched.task,
      createResult(launched, (output) => (output as TaskOutcome[]).map(settled)),
    );
    this.watchMembers = async (callback, options) =>
      page.lists.watch({ parent: [this.id] }, callback, toPace(options), options?.signal);
  }
}

function settled(outcome: TaskOutcome): PromiseSettledResult<unknown> {
  return outcome.status === "completed"
    ? { status: "fulfilled", value: outcome.output }
    : { status: "rejected", reason: outcome.error };
}
