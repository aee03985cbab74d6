/**
 * One reading of the items that a task emits, in order, for use with `for await`. The first `next()` starts the reading. It ends
 * - with the last item, if the task completes;
 * - with the rejection of `task.result`, after the last item, if the task ends in another way;
 * - with a {@link TaskError} of kind `locked` while another reading of the same task is going on, in this window or
 *   another one; of kind `invalidItem` for bytes where items were expected, or the other way round; of kind `notFound` or
 *   `outcomeExpired` if the plugin no longer has the task; of kind `ipc` if the plugin can't be reached;
 * - with `break` or `return()`, or when the handle is detached. Items that were not handed out by then stay for the next reading,
 *   if the kind's policy in Rust keeps them. A reading that begins after `detach` rejects with a {@link TaskError} of kind `detached`.
 *
 * The task waits while its buffer is full, so a slow loop slows it down. If the page loses its connection to the plugin, the
 * reading continues when it reconnects, without losing or repeating an item. `next()` may be called again before the previous
 * call has settled: each call returns another item, in order.
 *
 * @example
 * ```ts
 * for await (const line of task.items()) {
 *   log.append(line);
 *   if (log.isFull) break;
 * }
 * ```
 */
export interface TaskItems<T> extends AsyncIterableIterator<T> {
  /**
   * The number of the next item; the task's first item is number 0. Pass it as `from` to continue right after the last item that
   * was handed out.
   *
   * @example
   * ```ts
   * const lines = task.items();
   * for await (const line of lines) {
   *   count(line);
   *   sessionStorage.state = JSON.stringify({ counts, id: task.id, from: lines.position });
   * }
   * ```
   */
  readonly position: number;
  /** How many items were dropped before this reading could get them: 0 unless nobody read for some time. */
  readonly missed: number;
  /**
   * The number of the attempt that has emitted the item, or the chunk, that was handed out last; 0 before that. If it grows, the
   * handler was called again after a failure, and emits from its beginning unless it knows better. An array or a chunk of bytes holds
   * what one attempt has emitted.
   *
   * @example
   * ```ts
   * const lines = task.items();
   * for await (const line of lines) {
   *   if (lines.attempt !== shown) log.clear();
   *   shown = lines.attempt;
   *   log.append(line);
   * }
   * ```
   */
  readonly attempt: number;
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the reading, as `break` does, and any pending `next()`. Resolves when the plugin has been told; never rejects. */
  return(): Promise<IteratorReturnResult<undefined>>;
  /** Ends the reading as `return()` does, and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): TaskItems<T>;
}

/** The type of the items that a kind emits as JSON; `never` for a kind that emits bytes. */
export type JsonItem<I> = Exclude<I, Uint8Array>;

/** The type of a handle's `bytes`: `never`, which can't be called, unless the kind emits bytes. */
export type BytesMethod<I> = I extends Uint8Array
  ? () => TaskItems<Uint8Array>
  : // Matches everything but `unknown`. With `unknown extends I`, a `TaskHandle<T>` would not be assignable to `TaskHandle`.
    I extends object | string | number | bigint | boolean | symbol | null | undefined
    ? never
    : () => TaskItems<Uint8Array>;
