import { v7 as uuid } from "uuid";
import { onAbort, throwIfAborted } from "../callbacks/abort.js";
import { commands } from "../calls/commands.js";
import { withLate } from "../calls/late.js";
import { toTaskError } from "../errors/from-rejection.js";
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
  /** The id of the call that has a share in the task. One that has only attached to the task has none. */
  readonly call?: string;
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives back the share that a call has in a task, which is cancelled if nobody else has one. Send this once the call is answered: the
 * plugin knows no share before. Then calls `left`, once more if this is carried out after it was given up: the page may no longer be
 * told of a task that it has only joined. Ignores a refusal, since nobody waits for the task here.
 */
export async function leave(call: string, left: () => void): Promise<void> {
  await withLate(commands.leave(call), left).catch(() => {});
  left();
}

/**
 * Starts or joins a task. If there is a signal and it is aborted, rejects at once, and gives the call's share back as soon as that is
 * possible. Does the same if the call is not answered in time, but is carried out after all.
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
    let isSent = false;
    const sendNow = async (nonce: string) => {
      isSent = true;
      try {
        return await withLate(send(nonce, id), ({ snapshot }) => void leaveTask(snapshot.id));
      } catch (rejection) {
        // Without its session, the call was not carried out.
        isSent = toTaskError(rejection).kind !== "sessionGone";
        throw rejection;
      }
    };
    const leaveTask = (task: string) =>
      leave(id, () => {
        if (task !== id) tasks.recheck(task);
      });
    const leaveUnknown = () =>
      leave(id, () => {
        if (mayJoin) tasks.recheckJoinable(name);
      });
    // Before anything is sent, since a signal that can't be listened to is refused.
    const off = signal ? onAbort(signal, abort) : () => {};
    const started = tasks.start(id, {
      name,
      mayJoin,
      // If the signal was aborted while the session was being opened, nobody waits for the task any more.
      send: (nonce) => (aborted ? Promise.reject(aborted.reason) : sendNow(nonce)),
    });
    started.then(
      (task) => {
        if (!aborted) {
          off();
          resolve({ task, call: id, signal });
          return;
        }
        tasks.release(task);
        void leaveTask(task.id);
      },
      (error: unknown) => {
        off();
        reject(error);
        // The call may have been carried out all the same.
        if (aborted && isSent) void leaveUnknown();
      },
    );
  });
}
