import type * as wire from "../ipc/bindings.js";

/** Consecutive items of a task that came in one answer. If the task emits bytes, all numbers count bytes. */
export interface Chunk {
  /** The number of the first item, or of the first byte. */
  readonly first: number;
  /** How many items were dropped between the previous chunk and this chunk. */
  readonly missed: number;
  /** Whether this is the last chunk of a task that has ended. */
  readonly done: boolean;
  /** The number of the attempt that has emitted all of these items. */
  readonly attempt: number;
  /**
   * One more than the number of the last item. It can't be computed from `items`, because the user may have changed
   * that array.
   */
  readonly end: number;
  readonly items: unknown[] | Uint8Array;
}

/** Returns the chunk in an answer to `read`, or `undefined` if there is nothing yet. */
export function toChunk(answer: wire.Chunk | null): Chunk | undefined {
  if (answer === null) return undefined;
  // The generated types don't include bytes. They come raw, or as numbers if the page's CSP keeps Tauri from sending them raw.
  const raw: unknown = answer;
  if (raw instanceof ArrayBuffer) return fromBytes(raw);
  if (Array.isArray(raw)) return fromBytes(Uint8Array.from(raw).buffer);
  const { sequence, missed, done, attempt, items } = answer;
  return { first: sequence, missed, done, attempt, end: sequence + items.length, items };
}

/** Returns the part of a chunk from item number `next` on. */
export function startingAt(next: number, { first, done, attempt, end, items }: Chunk): Chunk {
  const known = Math.max(0, next - first);
  return {
    first: first + known,
    missed: Math.max(0, first - next),
    done,
    attempt,
    end: Math.max(end, next),
    items: known > 0 ? items.slice(known) : items,
  };
}

/**
 * Reads a chunk of bytes: the data after a header, whose layout is in `src/ipc/chunk.rs`. The header says how long it is, so that a
 * newer plugin may add to it. The data is copied: what the user gets owns its buffer, and can be transferred as it is.
 */
function fromBytes(buffer: ArrayBuffer): Chunk {
  const header = new DataView(buffer);
  const items = new Uint8Array(buffer.slice(header.getUint8(0)));
  const first = Number(header.getBigUint64(8, true));
  return {
    first,
    missed: Number(header.getBigUint64(16, true)),
    done: header.getUint8(1) !== 0,
    attempt: header.getUint32(4, true),
    end: first + items.length,
    items,
  };
}
