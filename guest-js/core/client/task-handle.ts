import { commands } from "../ipc/bindings.js";
import { createItems, type Items } from "../items/items.js";
import type * as types from "../types/task-handle.js";
import { CommonHandle } from "./common-handle.js";
import { type Launched, launch } from "./launch.js";
import type { Page } from "./page.js";
import { createResult } from "./result.js";

/** One caller's handle of a task. */
export class TaskHandle extends CommonHandle implements types.TaskHandle {
  readonly items: Items["items"];
  readonly chunks: Items["chunks"];
  readonly bytes: Items["bytes"];
  readonly stream: Items["stream"];
  readonly rerun: () => Promise<types.TaskHandle>;

  /** `from` is the number of the item that the first reading starts with, or `null` for the oldest unread item. */
  constructor(page: Page, launched: Launched, from: number | null = null) {
    const result = createResult(launched, (output) => output);
    super(launched.task, result);
    const { items, chunks, bytes, stream } = createItems(page, this.id, from, result.ended);
    this.items = items;
    this.chunks = chunks;
    this.bytes = bytes;
    this.stream = stream;
    this.rerun = () => rerunTask(page, this.snapshot.task, this.id);
  }
}

/** Reruns a task that ended without completing, as a new task. `name` is its kind, for hints in errors. */
export async function rerunTask(page: Page, name: string, id: string): Promise<TaskHandle> {
  const launched = await launch(page, {
    name,
    send: (nonce, newId) => commands.rerun(nonce, id, newId),
    // The options are those of the first start, so `onConflict` may be `join`.
    mayJoin: true,
  });
  return new TaskHandle(page, launched);
}
