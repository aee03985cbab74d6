/**
 * What a task emits, in order, to be read with `for await`. The first `next()` begins the reading, which ends
 * - with the last item, if the task completes;
 * - by a rejection after the last item, with what `task.result` rejects with, if the task ends otherwise;
 * - by a rejection with a {@link TaskError}: `locked` while another reading of the same task goes on, in this window or another
 *   one; `invalidItem` for bytes where items were expected, or the other way round; `notFound` or {@link OutcomeExpiredError} if
 *   the plugin no longer has the task; `ipc` if it can't be reached;
 * - with `break` or `return()`. What was not given then stays for the next reading, as the kind's policy in Rust says.
 *
 * The task waits while its buffer is full, so that a slow loop slows it down. What is waited for when the page loses its
 * connection to the plugin comes afterwards, nothing lost and nothing doubled. Each call of `next()` gives another item, in
 * order, also without waiting for the one before.
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
   * The number of the next item, counted from the task's first one: to pass as `from` to go on right after the item that
   * was given last.
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
  /** How many items were dropped before this reading could have them: 0, unless nobody read for some time. */
  readonly missed: number;
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the reading, as `break` does: also a `next()` that waits. Resolves when the plugin knows; never rejects. */
  return(): Promise<IteratorReturnResult<undefined>>;
  /** Ends the reading as `return()` does, and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): TaskItems<T>;
}

/** What a kind emits as JSON: its items, and nothing for a kind that emits bytes. */
export type JsonItem<I> = Exclude<I, Uint8Array>;

/** `bytes` of a handle: `never`, which can't be called, for a kind that doesn't emit bytes. */
export type BytesMethod<I> = I extends Uint8Array
  ? () => TaskItems<Uint8Array>
  : // What is not `unknown`. (`unknown extends I` would make a `TaskHandle<T>` none of `TaskHandle`.)
    I extends object | string | number | bigint | boolean | symbol | null | undefined
    ? never
    : () => TaskItems<Uint8Array>;
