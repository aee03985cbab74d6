/** The part of the plugin that refuses calls: what is odd in their arguments, and what is more than a page may hold. */
import type { CancelReason, TaskSnapshot, WireError } from "../../core/ipc/bindings.js";

/** The reasons of a cancel that a page can't give. */
const RESERVED = ["signal", "ownerClosed", "shutdown", "parent", "replaced", "unread"];

/** What a page may hold at once: `follows` in one session, `sharesOfTask` in one task, and the others in all of its sessions. */
const BOUNDS = {
  sessions: 16,
  lists: 256,
  readers: 64,
  waits: 1_024,
  follows: 65_536,
  shares: 65_536,
  sharesOfTask: 1_024,
} as const;

export function wireError(kind: WireError["kind"], message: string = kind, data: unknown = null) {
  return { kind, message, data } satisfies WireError;
}

export function notFound(id: unknown): WireError {
  const message = `there is no task ${id} that this page may see: it was never started or was removed, or it belongs to another owner and the mock denies observe-all`;
  return wireError("notFound", message);
}

export function sessionGone(): WireError {
  const message =
    "there is no such session (it was closed or never opened): open a new one, as the npm package does automatically";
  return wireError("sessionGone", message);
}

/** Refuses to read from beyond the items that there are. */
export function fromIsBeyond(id: string, emitted: number): WireError {
  const message = `this call can't be read: from: task ${id} has emitted ${emitted} items so far, so ${emitted} is the largest number allowed; look at the types of tauri-plugin-tasks-api`;
  return wireError("invalidOptions", message);
}

/** Refuses an id that stands for something else already. */
export function idTaken(id: string): WireError {
  return wireError(
    "invalidId",
    `the id ${id} can't be used for this start: make a new one for each task`,
  );
}

export function outcomeExpired(id: string): WireError {
  const message = `the outcome of task ${id} is no longer kept: read it before the task is removed or pushed out by newer ones`;
  return wireError("outcomeExpired", message);
}

export function keyTaken(task: string, key: string, id: string): WireError {
  const message = `a live task "${task}" already has the key "${key}": it is ${id}; wait for its end, or start with OnConflict "join", "replace" or "append"`;
  return wireError("keyTaken", message, { id });
}

/** Refuses to do `what` to a task that has ended. */
export function alreadyEnded({ task, status }: TaskSnapshot, what: string): WireError {
  const ends: Partial<Record<typeof status, string>> = {
    completed: "completed",
    failed: "failed",
    timedOut: "timed out",
  };
  const message = `task "${task}" has already ${ends[status] ?? "been cancelled"}: there is nothing left to ${what}; read its outcome`;
  return wireError("alreadyEnded", message, { status });
}

/** Refuses what can only be done once a task has ended: it would be `what`. */
export function notEnded({ task }: TaskSnapshot, what: string): WireError {
  const message = `task "${task}" has not ended yet: wait for its end, or cancel it, before it is ${what}`;
  return wireError("notEnded", message);
}

export function notRerunnable({ task }: TaskSnapshot): WireError {
  const message = `task "${task}" can't be run again: it has completed; start a new task`;
  return wireError("notRerunnable", message);
}

export function notQueued({ task, status }: TaskSnapshot): WireError {
  const message = `task "${task}" does not wait in its queue (${waiting(status)}): only a waiting task can be given another priority`;
  return wireError("notQueued", message, { status });
}

export function notPausable({ task, status }: TaskSnapshot): WireError {
  const message = `task "${task}" does not wait in its queue (${waiting(status)}): only a waiting task can be paused or resumed; a running one can be cancelled, and the members of a batch can be paused`;
  return wireError("notPausable", message, { status });
}

function waiting(status: string): string {
  return status === "queued" ? "its turn has just come" : status;
}

export function locked(id: string): WireError {
  const message = `the items of task ${id} already have a reader: a task has one reader at a time, so end the other reader (break out of its loop, or cancel its stream) before this one begins`;
  return wireError("locked", message);
}

export function readerGone(id: string): WireError {
  const message = `this reader of task ${id} has stopped, or asks for items that it has already released: continue with a new reader, from where this one stopped`;
  return wireError("readerGone", message);
}

/** Refuses a reader that was taken for gone, and has missed so many items or bytes since. */
export function readerIdled(id: string, missed: number): WireError {
  const message = `this reader of task ${id} was taken for gone, because it did not ask for longer than Task::idle_reader allows, and has missed ${missed} since: read on with a new reader, which begins with the oldest item that is still kept`;
  return wireError("readerGone", message, { missed });
}

/** Refuses one more if there are so many. */
export function checkBound(quota: keyof typeof BOUNDS, many: number): void {
  const limit = BOUNDS[quota];
  if (many < limit) return;
  const message = `this exceeds the quota "${quota}" of ${limit}: this limit is fixed`;
  throw wireError("quotaExceeded", message, { quota, limit });
}

/** Returns the reason of a cancel, unless it is one that only the plugin gives. */
export function reasonOfCaller(reason: unknown): CancelReason {
  const words = String(reason);
  if (!RESERVED.includes(words)) return words;
  throw wireError(
    "invalidOptions",
    `a caller can't give the reason "${words}", which the engine gives itself: choose other words`,
  );
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Refuses an id that the page can't have made for a new task. */
export function checkId(id: string): void {
  if (!ID.test(id)) {
    throw wireError("invalidId", `"${id}" is not a UUID in lower case: make one for each task`);
  }
}

/** Refuses a kind that is not registered. */
export function checkKind(task: string, kinds: ReadonlySet<string> | undefined): void {
  if (!kinds || kinds.has(task)) return;
  throw wireError(
    "unknownTask",
    `no task is registered under the name "${task}": give mockTasks a script for it`,
  );
}
