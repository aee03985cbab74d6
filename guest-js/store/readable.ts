/**
 * A value that changes over time: what `useSyncExternalStore` of React, and the like of other frameworks, take.
 *
 * @example
 * ```ts
 * const downloads = listStore(tasks, { task: "download" });
 * const stop = downloads.subscribe(() => render(downloads.getSnapshot().tasks));
 * ```
 */
export interface Readable<S> {
  /**
   * Calls back after each change, and once soon after this call. The first subscriber opens what the value comes from; 100 ms after
   * the last one has gone it is closed, so that a component which is mounted again at once goes on with the same.
   *
   * @returns A function that ends the subscription. To call it twice is harmless.
   */
  subscribe(onChange: () => void): () => void;
  /** Returns the value as it is now: the same object until it has changed. */
  getSnapshot(): S;
  /** Returns the value where nothing can be known, as on a server: always the same object. */
  getServerSnapshot(): S;
}

/** Returns a store whose value never changes. */
export function constant<S>(value: S): Readable<S> {
  const get = () => value;
  return { subscribe: () => () => {}, getSnapshot: get, getServerSnapshot: get };
}
