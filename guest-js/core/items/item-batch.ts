import type { ItemBatch } from "../ipc/bindings.js";

/** Some of what a task emitted, as it came in one answer. For bytes, numbers and lengths count bytes. */
export interface Batch {
  /** The number of the first item, or of the first byte. */
  readonly first: number;
  /** How many before it were dropped that should have come. */
  readonly missed: number;
  /** The task has ended, and this is its last batch. */
  readonly done: boolean;
  /** The number after that of the last item: once the user has them, the items themselves tell nothing. */
  readonly end: number;
  readonly items: unknown[] | Uint8Array;
}

/** What follows the payload: `first` and `missed` as u64, little endian, then `done`. */
const TRAILER = 17;

/** An answer of `read`; `undefined` if there is nothing yet. */
export function toBatch(answer: ItemBatch | null): Batch | undefined {
  if (answer === null) return undefined;
  // What the generated types don't know: bytes are raw, or numbers if the page's CSP keeps Tauri from sending them raw.
  const raw: unknown = answer;
  if (raw instanceof ArrayBuffer) return fromBytes(raw);
  if (Array.isArray(raw)) return fromBytes(Uint8Array.from(raw).buffer);
  const { sequence, missed, done, items } = answer;
  return { first: sequence, missed, done, end: sequence + items.length, items };
}

function fromBytes(buffer: ArrayBuffer): Batch {
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
