import { v7 as uuid } from "uuid";
import { onAbort } from "./abort.js";
import { commands } from "./bindings.js";
import { cancelBySignal, createHandle } from "./handle.js";
import type { Page } from "./page.js";
import type { TaskHandle } from "./types.js";

/** Starts a task; with a signal, rejects as soon as that is aborted, and cancels what was on its way. */
export async function startTask(
  { tasks }: Page,
  name: string,
  input: unknown,
  signal: AbortSignal | undefined,
): Promise<TaskHandle> {
  if (signal?.aborted) throw signal.reason;
  // One id for all attempts: the plugin takes a repeat for what it is.
  const id = uuid();
  const started = tasks.start(id, name, async (nonce) => {
    // Aborted while the session was opened: nobody waits for this answer any more.
    if (signal?.aborted) throw signal.reason;
    return commands.start(nonce, id, name, input);
  });
  if (!signal) return createHandle(await started);

  return new Promise((resolve, reject) => {
    let aborted = false;
    const off = onAbort(signal, (reason) => {
      aborted = true;
      reject(reason);
    });
    started.then(
      (task) => {
        if (!aborted) {
          off();
          resolve(createHandle(task, signal));
          return;
        }
        cancelBySignal(id);
        tasks.release(task);
      },
      (error: unknown) => {
        off();
        reject(error);
      },
    );
  });
}
