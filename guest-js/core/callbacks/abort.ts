import { readSafely } from "../arguments/check.js";
import { callGuarded } from "./listeners.js";

// A signal may be anything that has the members of one. Whatever throws there is a TaskError, or is reported.

/** Throws the signal's reason if it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal && readSafely("The signal", () => signal.aborted)) throw reasonOf(signal);
}

/**
 * Calls `callback` once, with the signal's reason, when the signal is aborted. The signal must not be aborted yet.
 * Returns a function that removes the listener. Throws a TaskError if the signal can't be listened to.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  const listener = () => callback(reasonOf(signal));
  readSafely("The signal", () => signal.addEventListener("abort", listener, { once: true }));
  return () => callGuarded(() => signal.removeEventListener("abort", listener));
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as the signal is aborted. */
export function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const off = onAbort(signal, reject);
    promise.then(resolve, reject).finally(off);
  });
}

function reasonOf(signal: AbortSignal): unknown {
  return readSafely("The signal's reason", () => signal.reason as unknown);
}
