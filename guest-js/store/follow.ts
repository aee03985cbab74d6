import type { TaskHandle } from "../core/types/task-handle.js";

/** Calls `tell` at once, and whenever the handle has another snapshot. Returns a function that ends this. */
export function follow(
  task: Pick<TaskHandle, "snapshot" | "onStatus" | "onProgress" | "onQueue">,
  tell: () => void,
): () => void {
  let last: unknown;
  const look = () => {
    if (task.snapshot === last) return;
    last = task.snapshot;
    tell();
  };
  const offs = [task.onStatus(look), task.onProgress(look), task.onQueue(look)];
  return () => {
    for (const off of offs) off();
  };
}
