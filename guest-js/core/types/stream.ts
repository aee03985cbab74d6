/**
 * A `ReadableStream` that `for await` can read in every webview. WebKit and older versions of Chromium have streams without an async
 * iterator; there, this one brings its own, which behaves as the web platform's:
 * - `break`, an exception in the loop and `return()` cancel the stream, which ends the reading, unless `preventCancel` is set;
 * - the stream is locked while it is iterated, and no longer when the iterator has ended.
 *
 * What `tee()` and `pipeThrough()` return are the platform's own streams: read them with `getReader()`, which works everywhere.
 *
 * @example
 * ```ts
 * const stream = task.stream();
 * for await (const line of stream.values({ preventCancel: true })) {
 *   if (line === "") break; // The header is complete.
 *   header.append(line);
 * }
 * await stream.pipeTo(body);
 * ```
 */
export type TaskStream<T> = ReadableStream<T> & {
  /** Locks the stream and iterates it. Throws a `TypeError` if the stream is locked. */
  [Symbol.asyncIterator](options?: StreamIterationOptions): AsyncIterableIterator<T, undefined>;
  /** The same as `[Symbol.asyncIterator]`, for a loop with options. */
  values(options?: StreamIterationOptions): AsyncIterableIterator<T, undefined>;
};

/** Options of {@link TaskStream}'s `values`. */
export interface StreamIterationOptions {
  /** Whether the stream goes on after `break` or `return()`: it is then unlocked, but not cancelled. `false` by default. */
  readonly preventCancel?: boolean | undefined;
}
