import type * as wire from "../ipc/bindings.js";

/** Consecutive items of a task, as one answer brought them. For bytes, numbers and lengths count bytes. */
export interface ItemBatch {
  /** The number of the first item, or of the first byte. */
  readonly first: number;
  /** How many items were dropped between the previous batch and this one. */
  readonly missed: number;
  /** Whether the task has ended and this is its last batch. */
  readonly done: boolean;
  /** The number after that of the last item. The items can't tell it: the user may have changed the array. */
  readonly end: number;
  readonly items: unknown[] | Uint8Array;
}

/** What follows the payload: `first` and `missed` as u64, little endian, then `done`. */
const TRAILER = 17;

/** The batch in an answer of `read`; `undefined` if there is nothing yet. */
export function toBatch(answer: wire.ItemBatch | null): ItemBatch | undefined {
  if (answer === null) return undefined;
  // The generated types don't say that bytes come raw, or as numbers if the page's CSP keeps Tauri from sending them raw.
  const raw: unknown = answer;
  if (raw instanceof ArrayBuffer) return fromBytes(raw);
  if (Array.isArray(raw)) return fromBytes(Uint8Array.from(raw).buffer);
  const { sequence, missed, done, items } = answer;
  return { first: sequence, missed, done, end: sequence + items.length, items };
}

/** The part of a batch from item number `next` on. */
export function startingAt(next: number, { first, done, end, items }: ItemBatch): ItemBatch {
  const known = Math.max(0, next - first);
  return {
    first: first + known,
    missed: Math.max(0, first - next),
    done,
    end: Math.max(end, next),
    items: known > 0 ? items.slice(known) : items,
  };
}

function fromBytes(buffer: ArrayBuffer): ItemBatch {
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
