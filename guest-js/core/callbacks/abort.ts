import { readSafely } from "../arguments/check.js";
import { callGuarded } from "./listeners.js";

// A signal may be any object with the members of one. An error of theirs becomes a TaskError, or is reported.
const AT = "options.signal";

/** Returns why the signal was aborted; `undefined` if it is not aborted. Throws a TaskError if it can't be read. */
export function abortOf(signal: AbortSignal | undefined): { readonly reason: unknown } | undefined {
  if (!signal || !readSafely(AT, () => signal.aborted)) return undefined;
  return { reason: reasonOf(signal) };
}

/** Throws the signal's reason if it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  const aborted = abortOf(signal);
  if (aborted) throw aborted.reason;
}

/**
 * Calls `callback` once, with the signal's reason, when the signal is aborted. The signal must not be aborted yet.
 * Returns a function that removes the listener. Throws a TaskError if the signal can't be listened to.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  const listener = () => callback(reasonOf(signal));
  readSafely(AT, () => signal.addEventListener("abort", listener, { once: true }));
  return () => callGuarded(() => signal.removeEventListener("abort", listener));
}

/**
 * Settles as the promise that `run` returns, or rejects with the signal's reason as soon as the signal is aborted. Calls `run` only
 * if the signal is not aborted and can be listened to.
 */
export function unlessAborted<T>(
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  if (!signal) return run();
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const off = onAbort(signal, reject);
    run().then(resolve, reject).finally(off);
  });
}

function reasonOf(signal: AbortSignal): unknown {
  try {
    return readSafely(AT, () => signal.reason as unknown);
  } catch (error) {
    return error;
  }
}
