import { v7 as uuid } from "uuid";
import { onAbort } from "../callbacks/abort.js";
import { commands, type Started } from "../ipc/bindings.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { Page } from "./page.js";

/** What starts a task: `start`, `retry` or `batch`. */
export interface LaunchRequest {
  /** The kind, for hints in errors. */
  readonly name: string;
  readonly send: (nonce: string, id: string) => Promise<Started>;
  readonly signal?: AbortSignal | undefined;
  /** Whether the answer may be a task that was there already. */
  readonly mayJoin?: boolean;
}

/** A task as its starter has it. */
export interface Launched {
  readonly task: TrackedTask;
  /** Whether somebody else has started it. */
  readonly joined: boolean;
  /** Not aborted yet. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks a task to stop because of an aborted signal. What can't be cancelled has ended, or will tell by itself. */
export function cancelBySignal({ task, joined }: Launched): void {
  // What others have started is not this signal's to cancel.
  if (!joined) commands.cancel(task.id, "signal").catch(() => {});
}

/** Starts a task; with a signal, rejects as soon as that is aborted, and cancels what was on its way. */
export function launch({ tasks }: Page, request: LaunchRequest): Promise<Launched> {
  const { name, send, signal, mayJoin = false } = request;
  if (signal?.aborted) return Promise.reject(signal.reason);
  // One id for all attempts: the plugin takes a repeat for what it is.
  const id = uuid();
  const started = tasks
    .start(id, {
      name,
      mayJoin,
      send: (nonce) =>
        // Aborted while the session was opened: nobody waits for this answer any more.
        signal?.aborted ? Promise.reject(signal.reason) : send(nonce, id),
    })
    .then((task): Launched => ({ task, joined: task.id !== id, signal }));
  if (!signal) return started;

  return new Promise((resolve, reject) => {
    let aborted = false;
    const off = onAbort(signal, (reason) => {
      aborted = true;
      reject(reason);
    });
    started.then(
      (launched) => {
        if (!aborted) {
          off();
          resolve(launched);
          return;
        }
        cancelBySignal(launched);
        tasks.release(launched.task);
      },
      (error: unknown) => {
        off();
        reject(error);
      },
    );
  });
}
