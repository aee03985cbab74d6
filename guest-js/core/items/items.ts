import type { Page } from "../client/page.js";
import { TaskError } from "../errors/errors.js";
import type { TrackedTask } from "../task/task.js";
import type { TaskItems } from "../types/types.js";
import type { Batch } from "./item-batch.js";
import { createReader, type Reader } from "./reader.js";

/** What a handle reads its task's items with. */
export interface Items {
  items(): TaskItems<unknown>;
  batches(): TaskItems<unknown[]>;
  bytes(): TaskItems<Uint8Array>;
  stream(): ReadableStream<unknown>;
}

/** How a reading gives what came. */
type Form = keyof Items;

/**
 * `from`: the number of the item that a reading begins with, `null` for the oldest that was not read. The next reading goes on
 * where the last one stopped. `ended` resolves when the task has completed, and rejects if it ended otherwise.
 */
export function createItems(
  page: Page,
  task: TrackedTask,
  from: number | null,
  ended: () => Promise<void>,
): Items {
  let start = from;

  function begin<T>(form: Form): Cursor<T> {
    return createCursor<T>(form, ended, {
      get start() {
        return start;
      },
      open: () => createReader(page, task.id, start),
      stopped(position) {
        start = position;
      },
    });
  }

  return {
    items: () => iterate(begin("items")),
    batches: () => iterate(begin("batches")),
    bytes: () => iterate(begin("bytes")),
    stream: () => toStream(begin("stream")),
  };
}

/** Where a reading stands. */
interface Cursor<T> {
  /** The number of the next item, of the next byte for bytes. */
  readonly position: number;
  readonly missed: number;
  /** Whether something is here. */
  readonly ready: boolean;
  /** Takes it. */
  give(): T;
  /** Waits until something is here; `false` if there is no more. Rejects, once, if the reading or the task failed. */
  load(): Promise<boolean>;
  /** Never rejects. What waits in `load` gets no more. */
  close(): Promise<void>;
}

interface Source {
  /** Where a reading would begin now. */
  readonly start: number | null;
  open(): Reader;
  /** A reading stopped before this item. */
  stopped(position: number): void;
}

function createCursor<T>(form: Form, ended: () => Promise<void>, source: Source): Cursor<T> {
  let reader: Reader | undefined;
  let items: ArrayLike<unknown> = [];
  /** The number of the first of them, and the one after the last. */
  let first = 0;
  let end = 0;
  let index = 0;
  /** Whether they are given in one piece. */
  let whole = false;
  let missed = 0;
  let hasRead = false;
  let closed = false;
  let closing: Promise<void> | undefined;

  function arrive(batch: Batch): void {
    hasRead = true;
    ({ items, first, end } = batch);
    index = 0;
    missed += batch.missed;
    whole = form === "batches" || batch.items instanceof Uint8Array;
    if (items.length > 0) checkForm(form, batch);
  }

  async function load(): Promise<boolean> {
    if (closed) return false;
    reader ??= source.open();
    if (!hasRead) first = source.start ?? 0;
    try {
      while (index >= items.length) {
        const batch = await reader.take();
        if (!batch) break;
        arrive(batch);
      }
    } catch (error) {
      // The next reading must not meet this one.
      await close();
      throw error;
    }
    if (index < items.length) return true;
    if (closed) return false;
    const left = close();
    try {
      await ended();
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
    get ready() {
      return index < items.length;
    },
    give() {
      if (!whole) {
        const item = items[index] as T;
        index += 1;
        return item;
      }
      // From now on it is the user's, who may do anything with it.
      const all = items as T;
      items = [];
      first = end;
      return all;
    },
    load,
    close,
  };
}

function checkForm(form: Form, { items }: Batch): void {
  const isBytes = items instanceof Uint8Array;
  if (form === "stream" || isBytes === (form === "bytes")) return;
  const message = isBytes
    ? `This task emits bytes: read them with bytes() or stream(), not with ${form}().`
    : "This task emits items, not bytes: read them with items(), batches() or stream().";
  throw new TaskError("invalidItem", message);
}

function iterate<T>(cursor: Cursor<T>): TaskItems<T> {
  /** Settles with the last `next` that has to wait. */
  let waiting: Promise<void> | undefined;

  async function step(): Promise<IteratorResult<T, undefined>> {
    // It may have been closed while it loaded.
    if (cursor.ready || ((await cursor.load()) && cursor.ready))
      return { value: cursor.give(), done: false };
    return { value: undefined, done: true };
  }

  function inTurn(): Promise<IteratorResult<T, undefined>> {
    const result = waiting ? waiting.then(step) : step();
    const settle = () => {
      if (waiting === mine) waiting = undefined;
    };
    const mine = result.then(settle, settle);
    waiting = mine;
    return result;
  }

  return {
    // The whole price of an item that is here.
    next: () =>
      waiting === undefined && cursor.ready
        ? Promise.resolve({ value: cursor.give(), done: false })
        : inTurn(),
    async return() {
      await cursor.close();
      return { value: undefined, done: true };
    },
    async throw(error) {
      await cursor.close();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    get position() {
      return cursor.position;
    },
    get missed() {
      return cursor.missed;
    },
  };
}

/** Reads nothing before it is wanted, and gives one chunk at a time: how many of a queue were read nobody could tell. */
function toStream<T>(cursor: Cursor<T>): ReadableStream<T> {
  let cancelled = false;

  async function load(controller: ReadableStreamDefaultController<T>): Promise<void> {
    if ((await cursor.load()) && cursor.ready) controller.enqueue(cursor.give());
    else if (!cancelled) controller.close();
  }

  return new ReadableStream<T>(
    {
      pull(controller) {
        if (!cursor.ready) return load(controller);
        controller.enqueue(cursor.give());
        return undefined;
      },
      cancel() {
        cancelled = true;
        return cursor.close();
      },
    },
    { highWaterMark: 0 },
  );
}
