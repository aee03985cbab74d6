/**
 * Calls `callback` once, with the signal's reason, when the signal is aborted. The signal must not be aborted yet.
 * Returns a function that removes the listener.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  const listener = () => callback(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as the signal is aborted. */
export function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const off = signal.aborted ? () => {} : onAbort(signal, reject);
    if (signal.aborted) reject(signal.reason);
    promise.then(resolve, reject).finally(off);
  });
}
