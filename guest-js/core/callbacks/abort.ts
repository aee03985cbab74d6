/**
 * Calls `callback` once with the signal's reason when it is aborted. The returned function takes the listener off.
 * The signal must not be aborted yet.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  const listener = () => callback(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
