import { v7 as uuid } from "uuid";
import { onAbort, throwIfAborted } from "../callbacks/abort.js";
import { commands } from "../calls/commands.js";
import { withLate } from "../calls/late.js";
import type { Started } from "../ipc/bindings.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { Page } from "./page.js";

/** A command that starts a task: `start`, `rerun` or `batch`. */
export interface LaunchRequest {
  /** The kind, for hints in errors. */
  readonly name: string;
  readonly send: (nonce: string, id: string) => Promise<Started>;
  readonly signal?: AbortSignal | undefined;
  /** Whether the answer may be an existing task. */
  readonly mayJoin?: boolean;
}

/** A task, and how this caller got it. */
export interface Launched {
  readonly task: TrackedTask;
  /** `join`: the caller wanted to start a task, and got one that another call had started. */
  readonly by: "start" | "join" | "attach";
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
}

/** Cancels a task because its signal was aborted. */
export function cancelBySignal({ task, by }: Launched): void {
  // A signal doesn't cancel a task that another call started.
  if (by === "start") cancelUnwanted(task.id);
}

/** Cancels a task that nobody waits for. Ignores a refusal: it means that the task has ended, and its events say so. */
export function cancelUnwanted(id: string): void {
  commands.cancel(id, "signal").catch(() => {});
}

/**
 * Starts a task. If there is a signal and it is aborted, rejects at once and cancels the task that was being started. Does the same
 * if the start is not answered in time: a task that was started after all is cancelled.
 */
export function launch({ tasks }: Page, request: LaunchRequest): Promise<Launched> {
  const { name, send, signal, mayJoin = false } = request;
  // Every attempt sends the same id, so that the plugin recognises a repeat.
  const id = uuid();
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    let aborted: { readonly reason: unknown } | undefined;
    const abort = (reason: unknown) => {
      aborted = { reason };
      reject(reason);
    };
    const cancelLate = ({ snapshot }: Started) => {
      if (snapshot.id === id) cancelUnwanted(id);
    };
    // Before anything is sent, since a signal that can't be listened to is refused.
    const off = signal ? onAbort(signal, abort) : () => {};
    const started = tasks.start(id, {
      name,
      mayJoin,
      // If the signal was aborted while the session was being opened, nobody waits for the task any more.
      send: (nonce) =>
        aborted ? Promise.reject(aborted.reason) : withLate(send(nonce, id), cancelLate),
    });
    started.then(
      (task) => {
        const launched: Launched = { task, by: task.id === id ? "start" : "join", signal };
        if (!aborted) {
          off();
          resolve(launched);
          return;
        }
        cancelBySignal(launched);
        tasks.release(task);
      },
      (error: unknown) => {
        off();
        reject(error);
      },
    );
  });
}
