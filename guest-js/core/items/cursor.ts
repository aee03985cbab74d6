import { TaskError } from "../errors/task-error.js";
import type { Chunk } from "./chunk.js";
import type { Reader } from "./reader.js";

/** How a reading hands out what has come. Each form belongs to one method of a handle. */
export type Form = "items" | "chunks" | "bytes" | "stream";

/** The state of one reading: what has come and how far it was handed out. */
export interface Cursor<T> {
  /** The number of the next item, or of the next byte. */
  readonly position: number;
  readonly missed: number;
  /** The attempt that has emitted what was taken last; 0 if nothing was taken. */
  readonly attempt: number;
  /** Whether `take` has something to return. */
  readonly ready: boolean;
  take(): T;
  /**
   * Waits until the cursor is ready. Resolves with `false` if nothing follows. Rejects, once, if the reading or the task failed; and
   * each time if the reading can't begin, because the handle was let go of.
   */
  load(): Promise<boolean>;
  /** Ends the reading. A pending `load` then gets nothing more. Never rejects. */
  close(): Promise<void>;
}

/** What the readings of one handle share. */
export interface Source {
  /** The number of the item that the next reading starts with; `null` for the oldest unread item. */
  readonly start: number | null;
  open(): Reader;
  /** Called when a reading stops, with the number of the first item that it has not handed out. */
  stopped(position: number): void;
  /** Resolves when the task has completed, and rejects if it ended in another way. */
  ended(): Promise<void>;
}

export function createCursor<T>(form: Form, source: Source): Cursor<T> {
  let reader: Reader | undefined;
  let items: ArrayLike<unknown> = [];
  /** The number of the first of `items`, and one more than the number of the last. */
  let first = 0;
  let end = 0;
  let index = 0;
  /** Whether `items` is handed out as a whole. */
  let whole = false;
  let missed = 0;
  /** The attempt that has emitted `items`, and the one that has emitted what was taken last. */
  let emittedBy = 0;
  let attempt = 0;
  let hasRead = false;
  let closed = false;
  let closing: Promise<void> | undefined;

  function accept(chunk: Chunk): void {
    hasRead = true;
    ({ items, first, end, attempt: emittedBy } = chunk);
    index = 0;
    missed += chunk.missed;
    whole = form === "chunks" || chunk.items instanceof Uint8Array;
    if (items.length > 0) checkForm(form, chunk);
  }

  async function load(): Promise<boolean> {
    if (closed) return false;
    reader ??= source.open();
    if (!hasRead) first = source.start ?? 0;
    try {
      while (index >= items.length) {
        const chunk = await reader.take();
        if (!chunk) break;
        accept(chunk);
      }
    } catch (error) {
      // The next reading must not overlap with this one: the plugin would refuse it.
      await close();
      throw error;
    }
    if (index < items.length) return true;
    if (closed) return false;
    const left = close();
    try {
      await source.ended();
    } finally {
      await left;
    }
    return false;
  }

  function close(): Promise<void> {
    closing ??= leave();
    return closing;
  }

  async function leave(): Promise<void> {
    closed = true;
    first += index;
    items = [];
    index = 0;
    if (hasRead) source.stopped(first);
    await reader?.close(first);
  }

  return {
    get position() {
      return reader ? first + index : (source.start ?? 0);
    },
    get missed() {
      return missed;
    },
    get attempt() {
      return attempt;
    },
    get ready() {
      return index < items.length;
    },
    take() {
      attempt = emittedBy;
      if (!whole) {
        const item = items[index] as T;
        index += 1;
        return item;
      }
      // From here on, the array belongs to the user, who may change it.
      const all = items as T;
      items = [];
      first = end;
      return all;
    },
    load,
    close,
  };
}

function checkForm(form: Form, { items }: Chunk): void {
  const isBytes = items instanceof Uint8Array;
  if (form === "stream" || isBytes === (form === "bytes")) return;
  const message = isBytes
    ? `This task emits bytes: read them with bytes() or stream(), not with ${form}().`
    : "This task emits items, not bytes: read them with items(), chunks() or stream().";
  throw new TaskError("invalidItem", message);
}
