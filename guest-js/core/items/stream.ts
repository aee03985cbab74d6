import type { TaskStream } from "../types/stream.js";
import type { Cursor } from "./cursor.js";
import { makeIterable } from "./stream-iterator.js";

/**
 * Creates a stream that reads nothing before it is pulled and hands out one chunk at a time. It queues no chunks, because nobody
 * could tell how many of the queued ones were consumed.
 */
export function toStream<T>(cursor: Cursor<T>): TaskStream<T> {
  let cancelled = false;

  async function load(controller: ReadableStreamDefaultController<T>): Promise<void> {
    if ((await cursor.load()) && cursor.ready) controller.enqueue(cursor.take());
    else if (!cancelled) controller.close();
  }

  const stream = new ReadableStream<T>(
    {
      pull(controller) {
        if (!cursor.ready) return load(controller);
        controller.enqueue(cursor.take());
        return undefined;
      },
      cancel() {
        cancelled = true;
        return cursor.close();
      },
    },
    { highWaterMark: 0 },
  );
  return makeIterable(stream);
}
