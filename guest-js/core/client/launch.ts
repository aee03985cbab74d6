import { v7 as uuid } from "uuid";
import { onAbort } from "../callbacks/abort.js";
import { commands, type Started } from "../ipc/bindings.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { Page } from "./page.js";

/** A command that starts a task: `start`, `retry` or `batch`. */
export interface LaunchRequest {
  /** The kind, for hints in errors. */
  readonly name: string;
  readonly send: (nonce: string, id: string) => Promise<Started>;
  readonly signal?: AbortSignal | undefined;
  /** Whether the answer may be an existing task. */
  readonly mayJoin?: boolean;
}

/** A task, and how this user got it. */
export interface Launched {
  readonly task: TrackedTask;
  /** Whether somebody else has started the task. */
  readonly joined: boolean;
  /** Not aborted yet. */
  readonly signal?: AbortSignal | undefined;
}

/** Cancels a task because of an aborted signal. Ignores a refusal: the task has ended then, and its events say so. */
export function cancelBySignal({ task, joined }: Launched): void {
  // A signal doesn't cancel what others have started.
  if (!joined) commands.cancel(task.id, "signal").catch(() => {});
}

/** Starts a task. Rejects as soon as the signal, if there is one, is aborted, and then cancels what was being started. */
export function launch({ tasks }: Page, request: LaunchRequest): Promise<Launched> {
  const { name, send, signal, mayJoin = false } = request;
  if (signal?.aborted) return Promise.reject(signal.reason);
  // Every attempt has the same id, by which the plugin recognises a repeat.
  const id = uuid();
  const started = tasks
    .start(id, {
      name,
      mayJoin,
      send: (nonce) =>
        // The signal may have been aborted while the session was opened. Nobody waits for the answer then.
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
