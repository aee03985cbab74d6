import { check } from "../arguments/check.js";
import type { TaskSnapshot } from "../ipc/bindings.js";
import { settled } from "../task/outcome.js";
import type * as types from "../types/batch-handle.js";
import type { WatchOptions } from "../types/options.js";
import type { TaskOutcome } from "../types/outcome.js";
import { CALLBACK, WATCH_OPTIONS } from "./arguments.js";
import { hide } from "./bound.js";
import { CommonHandle } from "./common-handle.js";
import { createEnding } from "./ending.js";
import { createHold } from "./hold.js";
import type { Launched } from "./launch.js";
import type { Page } from "./page.js";
import { watchList } from "./watch-list.js";

/** One caller's handle of a batch. */
export class BatchHandle
  extends CommonHandle<PromiseSettledResult<unknown>[], TaskOutcome[]>
  implements types.BatchHandle
{
  declare private readonly page: Page;

  constructor(page: Page, launched: Launched) {
    const hold = createHold(page.tasks, launched.task);
    // The output of a batch holds the outcomes of its members: see `batchFromWire`.
    const ending = createEnding(hold, launched, (output) => (output as TaskOutcome[]).map(settled));
    super(hold, ending);
    hold.complete();
    hide(this, { page });
  }

  watchMembers(
    ...given: [callback: (members: TaskSnapshot[]) => void, options?: WatchOptions]
  ): Promise<() => void> {
    const { page, hold } = this;
    return watchList(page.lists, hold, () => {
      const [callback, { signal, everyMs = 0 }] = check(
        "watchMembers",
        given,
        CALLBACK,
        WATCH_OPTIONS,
      );
      return { filter: { parent: [this.id] }, callback, everyMs, signal };
    });
  }
}
