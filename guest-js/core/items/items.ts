import type { TaskItems } from "../types/items.js";
import type { TaskStream } from "../types/stream.js";
import { type Cursor, createCursor, type Form } from "./cursor.js";
import { toIterator } from "./iterator.js";
import { type Connection, createReader } from "./reader.js";
import { toStream } from "./stream.js";

/** The part of a handle that reads its task's items. */
export interface Items {
  items(): TaskItems<unknown>;
  chunks(): TaskItems<unknown[]>;
  bytes(): TaskItems<Uint8Array>;
  stream(): TaskStream<unknown>;
  /** Whether a reading has begun and not ended. */
  areOpen(): boolean;
  /** Ends all readings as their `return()` does. Further ones reject with `reason`. */
  end(reason: unknown): void;
}

/**
 * Creates the part of a handle that reads items. `from` is the number of the item that the first reading starts with, or `null`
 * for the oldest unread item. Each further reading starts where the previous one stopped. `ended` resolves when the task has
 * completed, and rejects if it ended in another way.
 */
export function createItems(
  connection: Connection,
  id: string,
  from: number | null,
  ended: () => Promise<void>,
): Items {
  let start = from;
  let over: { readonly reason: unknown } | undefined;
  /** The readings that have begun and not ended. */
  const open = new Set<Cursor<unknown>>();

  function begin<T>(form: Form): Cursor<T> {
    const cursor = createCursor<T>(form, {
      get start() {
        return start;
      },
      open() {
        if (over) throw over.reason;
        const reader = createReader(connection, id, start);
        open.add(cursor);
        return {
          take: reader.take,
          close(position) {
            open.delete(cursor);
            return reader.close(position);
          },
        };
      },
      stopped(position) {
        start = position;
      },
      ended,
    });
    return cursor;
  }

  return {
    items: () => toIterator(begin("items")),
    chunks: () => toIterator(begin("chunks")),
    bytes: () => toIterator(begin("bytes")),
    stream: () => toStream(begin("stream")),
    areOpen: () => open.size > 0,
    end(reason) {
      over = { reason };
      for (const cursor of open) void cursor.close();
    },
  };
}
