/** The part of the fake plugin that refuses calls: what is odd in their arguments, and what is more than a page may hold. */
import type { CancelReason, WireError } from "../ipc/bindings.js";

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
  return wireError("notFound", `There is no task ${id}.`);
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
  if (RESERVED.includes(words)) throw wireError("invalidOptions", `${words} is the plugin's own.`);
  return words;
}
