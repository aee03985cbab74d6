/**
 * Calls `callback` once, with the signal's reason, when the signal is aborted. The signal must not be aborted yet.
 * Returns a function that removes the listener.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  const listener = () => callback(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
