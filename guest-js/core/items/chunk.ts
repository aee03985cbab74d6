import type * as wire from "../ipc/bindings.js";

/** Consecutive items of a task that came in one answer. If the task emits bytes, all numbers count bytes. */
export interface Chunk {
  /** The number of the first item, or of the first byte. */
  readonly first: number;
  /** How many items were dropped between the previous chunk and this chunk. */
  readonly missed: number;
  /** Whether this is the last chunk of a task that has ended. */
  readonly done: boolean;
  /**
   * One more than the number of the last item. It can't be computed from `items`, because the user may have changed
   * that array.
   */
  readonly end: number;
  readonly items: unknown[] | Uint8Array;
}

/** The length in bytes of what follows the payload: `first` and `missed` as little-endian u64, then `done` as one byte. */
const TRAILER = 17;

/** Returns the chunk in an answer to `read`, or `undefined` if there is nothing yet. */
export function toChunk(answer: wire.Chunk | null): Chunk | undefined {
  if (answer === null) return undefined;
  // The generated types don't include bytes. They come raw, or as numbers if the page's CSP keeps Tauri from sending them raw.
  const raw: unknown = answer;
  if (raw instanceof ArrayBuffer) return fromBytes(raw);
  if (Array.isArray(raw)) return fromBytes(Uint8Array.from(raw).buffer);
  const { sequence, missed, done, items } = answer;
  return { first: sequence, missed, done, end: sequence + items.length, items };
}

/** Returns the part of a chunk from item number `next` on. */
export function startingAt(next: number, { first, done, end, items }: Chunk): Chunk {
  const known = Math.max(0, next - first);
  return {
    first: first + known,
    missed: Math.max(0, first - next),
    done,
    end: Math.max(end, next),
    items: known > 0 ? items.slice(known) : items,
  };
}

function fromBytes(buffer: ArrayBuffer): Chunk {
  const length = buffer.byteLength - TRAILER;
  const trailer = new DataView(buffer, length);
  const first = Number(trailer.getBigUint64(0, true));
  return {
    first,
    missed: Number(trailer.getBigUint64(8, true)),
    done: trailer.getUint8(16) !== 0,
    end: first + length,
    items: new Uint8Array(buffer, 0, length),
  };
}
