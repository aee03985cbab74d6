import type { StreamIterationOptions, TaskStream } from "../types/stream.js";

/** Returns the same stream. If the platform's streams can't be iterated, this one gets an iterator of its own. */
export function makeIterable<T>(stream: ReadableStream<T>): TaskStream<T> {
  if (!(Symbol.asyncIterator in stream && "values" in stream)) {
    const iteration = {
      value: (options?: StreamIterationOptions) => iterate(stream, options?.preventCancel ?? false),
      configurable: true,
      writable: true,
    };
    Object.defineProperties(stream, { values: iteration, [Symbol.asyncIterator]: iteration });
  }
  return stream as TaskStream<T>;
}

/**
 * Iterates a stream as the Streams Standard says: each call waits for the previous one, and there is no `throw`. Throws a
 * `TypeError` if the stream is locked.
 */
function iterate<T>(
  stream: ReadableStream<T>,
  preventCancel: boolean,
): AsyncIterableIterator<T, undefined> {
  const reader = stream.getReader();
  let finished = false;
  let last: Promise<unknown> | undefined;

  function inTurn<R>(step: () => Promise<R>): Promise<R> {
    const result = last ? last.then(step, step) : step();
    last = result;
    return result;
  }

  function finish(): void {
    finished = true;
    reader.releaseLock();
  }

  async function step(): Promise<IteratorResult<T, undefined>> {
    if (finished) return { value: undefined, done: true };
    try {
      const result = await reader.read();
      if (!result.done) return { value: result.value, done: false };
    } catch (error) {
      finish();
      throw error;
    }
    finish();
    return { value: undefined, done: true };
  }

  async function leave(reason: unknown): Promise<void> {
    if (finished) return;
    const cancelled = preventCancel ? undefined : reader.cancel(reason);
    finish();
    await cancelled;
  }

  return {
    next: () => inTurn(step),
    return: (reason) =>
      inTurn(async () => {
        await leave(reason);
        // The reason comes back, whatever it is.
        return { value: reason as undefined, done: true };
      }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
