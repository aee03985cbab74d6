/** The part of the fake plugin that keeps a task's items until they are read, as the real plugin does. */
import type { Chunk, WireError } from "../ipc/bindings.js";

/** How many chunks a reader may have requested without having released them. */
const WINDOW = 4;

/** A page's request for a chunk. */
export interface Ask {
  reader: string;
  chunk: number;
  from: number | null;
}

interface Frozen {
  sequence: number;
  missed: number;
  done: boolean;
  units: unknown[];
}

interface Attached {
  name: string;
  session: string;
  /** The number of the next unit to send. */
  expected: number;
  nextChunk: number;
  frozen: Map<number, Frozen>;
}

function wireError(kind: WireError["kind"], message: string = kind) {
  return { kind, message, data: null } satisfies WireError;
}

/** Creates the items of one task. A unit is an item, or a byte if the task emits bytes. */
export function createFakeItems() {
  let kept: unknown[] = [];
  /** The number of the first unit that is kept. */
  let first = 0;
  let read = 0;
  let done = false;
  let isBytes = false;
  let attached: Attached | undefined;
  const gone = new Set<string>();
  const waiting = new Set<() => void>();

  const next = () => first + kept.length;

  function wake(): void {
    for (const check of [...waiting]) check();
  }

  function readTo(number: number): void {
    read = Math.max(read, number);
    if (number <= first) return;
    kept = kept.slice(number - first);
    first = number;
  }

  function attach(session: string, { reader, chunk, from }: Ask): Attached {
    if (attached?.name === reader) return attached;
    if (gone.has(reader)) throw wireError("readerGone");
    if (attached) throw wireError("locked");
    if (chunk > WINDOW) throw wireError("readerGone");
    const expected = from ?? read;
    if (expected > next()) throw wireError("invalidOptions", `from is beyond ${next()}`);
    readTo(expected);
    attached = { name: reader, session, expected, nextChunk: 1, frozen: new Map() };
    return attached;
  }

  function letGoBefore(by: Attached, chunk: number): void {
    for (const [number, { sequence, units }] of by.frozen) {
      if (number >= chunk) continue;
      by.frozen.delete(number);
      readTo(sequence + units.length);
    }
  }

  function freeze(by: Attached, limit: number): Frozen | undefined {
    const begin = Math.max(first, by.expected);
    const units = kept.slice(begin - first, begin - first + limit);
    if (units.length === 0 && !done) return undefined;
    const end = begin + units.length;
    const frozen: Frozen = {
      sequence: begin,
      missed: begin - by.expected,
      done: done && end === next(),
      units,
    };
    by.frozen.set(by.nextChunk, frozen);
    by.nextChunk += 1;
    by.expected = end;
    return frozen;
  }

  function answer(frozen: Frozen): Chunk | ArrayBuffer {
    const { sequence, missed, done: isLast, units } = frozen;
    if (!isBytes) return { sequence, missed, done: isLast, items: units };
    const bytes = new Uint8Array(units.length + 17);
    bytes.set(units as number[]);
    const trailer = new DataView(bytes.buffer, units.length);
    trailer.setBigUint64(0, BigInt(sequence), true);
    trailer.setBigUint64(8, BigInt(missed), true);
    trailer.setUint8(16, isLast ? 1 : 0);
    return bytes.buffer;
  }

  return {
    /** Returns a chunk of at most `limit` units, or `undefined` if there is nothing yet. */
    ask(session: string, ask: Ask, limit: number): Chunk | ArrayBuffer | undefined {
      const by = attach(session, ask);
      const known = by.frozen.get(ask.chunk);
      if (known) {
        letGoBefore(by, ask.chunk - WINDOW + 1);
        return answer(known);
      }
      if (ask.chunk < by.nextChunk || ask.chunk >= by.nextChunk + WINDOW)
        throw wireError("readerGone");
      letGoBefore(by, ask.chunk - WINDOW + 1);
      if (ask.chunk !== by.nextChunk) return undefined;
      const frozen = freeze(by, limit);
      // Wakes the reads for later chunks, which may have arrived before this one.
      if (frozen) queueMicrotask(wake);
      return frozen && answer(frozen);
    },
    /** Calls back when there may be something to read. */
    wait(check: () => void): () => void {
      waiting.add(check);
      return () => waiting.delete(check);
    },
    emit(units: readonly unknown[], bytes: boolean): void {
      isBytes = bytes;
      kept.push(...units);
      wake();
    },
    /** Drops the oldest units. Must not be called while there is a reader. */
    drop(count: number): void {
      if (attached) throw new Error("There is a reader.");
      kept = kept.slice(count);
      first += count;
    },
    end(): void {
      done = true;
      wake();
    },
    stop(reader: string, position: number): void {
      gone.add(reader);
      if (attached?.name === reader) {
        readTo(Math.min(position, attached.expected));
        attached = undefined;
      }
      wake();
    },
    /** Drops the reader of a session that is gone. */
    lose(session: string): void {
      if (attached?.session === session) {
        gone.add(attached.name);
        attached = undefined;
      }
      wake();
    },
    wake,
    /** How many units are kept. */
    get kept() {
      return kept.length;
    },
    get reader() {
      return attached?.name;
    },
  };
}

export type FakeItems = ReturnType<typeof createFakeItems>;
