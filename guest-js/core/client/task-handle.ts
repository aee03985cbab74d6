import { check } from "../arguments/check.js";
import { commands } from "../calls/commands.js";
import { createItems, type Items } from "../items/items.js";
import type { TaskItems } from "../types/items.js";
import type { CallbackEvent, RerunOptions } from "../types/options.js";
import type { TaskStream } from "../types/stream.js";
import type * as types from "../types/task-handle.js";
import { RERUN_OPTIONS_OR_EVENT } from "./arguments.js";
import { hide } from "./bound.js";
import { CommonHandle } from "./common-handle.js";
import { createEnding } from "./ending.js";
import { createHold } from "./hold.js";
import { type Launched, launch } from "./launch.js";
import type { Page } from "./page.js";

/** One caller's handle of a task. */
export class TaskHandle extends CommonHandle implements types.TaskHandle {
  declare private readonly page: Page;
  declare private readonly readings: Items;

  /** `from` is the number of the item that the first reading starts with, or `null` for the oldest unread item. */
  constructor(page: Page, launched: Launched, from: number | null = null) {
    const hold = createHold(page.tasks, launched.task);
    const ending = createEnding(hold, launched, (output) => output);
    super(hold, ending);
    const readings = createItems(page, launched.task.id, from, ending.completed);
    hold.onLost(readings.end);
    if (hold.lost) readings.end(hold.lost.reason);
    hold.complete(readings.areOpen);
    hide(this, { page, readings });
  }

  items(): TaskItems<unknown> {
    return this.readings.items();
  }

  chunks(): TaskItems<unknown[]> {
    return this.readings.chunks();
  }

  bytes(): TaskItems<Uint8Array> {
    return this.readings.bytes();
  }

  stream(): TaskStream<unknown> {
    return this.readings.stream();
  }

  async rerun(...given: [options?: RerunOptions | CallbackEvent]): Promise<types.TaskHandle> {
    const [{ signal }] = check("rerun", given, RERUN_OPTIONS_OR_EVENT);
    return rerunTask(this.page, this.snapshot.task, this.id, signal);
  }
}

/** Reruns a task that ended without completing, as a new task. `name` is its kind, for hints in errors. */
export async function rerunTask(
  page: Page,
  name: string,
  id: string,
  signal: AbortSignal | undefined,
): Promise<TaskHandle> {
  const launched = await launch(page, {
    name,
    send: (nonce, newId) => commands.rerun(nonce, id, newId),
    signal,
    // The options are those of the first start, so `onConflict` may be `join`.
    mayJoin: true,
  });
  return new TaskHandle(page, launched);
}
