/** The part of the plugin that keeps a task's items until they are read, as the plugin does. */
import type { Chunk } from "../../core/ipc/bindings.js";
import { fromIsBeyond, locked, readerGone, readerIdled } from "./refusals.js";

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
  attempt: number;
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

/** Returns a chunk of bytes as the plugin sends it. */
export function bytesChunk(
  sequence: number,
  missed: number,
  done: boolean,
  attempt: number,
  bytes: readonly number[],
): ArrayBuffer {
  const header = 24;
  const answer = new Uint8Array(header + bytes.length);
  const view = new DataView(answer.buffer);
  view.setUint8(0, header);
  view.setUint8(1, done ? 1 : 0);
  view.setUint32(4, attempt, true);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setBigUint64(16, BigInt(missed), true);
  answer.set(bytes, header);
  return answer.buffer;
}

/** Creates the items of the task `id`. A unit is an item, or a byte if the task emits bytes. */
export function createItems(id: string) {
  let kept: unknown[] = [];
  /** The attempt that has emitted each unit that is kept, and the newest unit. */
  let attempts: number[] = [];
  let newest = 0;
  let emitted = 0;
  /** The number of the first unit that is kept. */
  let first = 0;
  let read = 0;
  let done = false;
  let isBytes = false;
  let attached: Attached | undefined;
  /** The readers that have gone. Those that were taken for gone have the number of the unit that they would have got next. */
  const gone = new Map<string, number | undefined>();
  const waiting = new Set<() => void>();

  const next = () => first + kept.length;

  function wake(): void {
    for (const check of [...waiting]) check();
  }

  function readTo(number: number): void {
    read = Math.max(read, number);
    if (number <= first) return;
    kept = kept.slice(number - first);
    attempts = attempts.slice(number - first);
    first = number;
  }

  function attach(session: string, { reader, chunk, from }: Ask): Attached {
    if (attached?.name === reader) return attached;
    if (gone.has(reader)) {
      const expected = gone.get(reader);
      throw expected === undefined
        ? readerGone(id)
        : readerIdled(id, Math.max(0, first - expected));
    }
    if (attached) throw locked(id);
    if (chunk > WINDOW) throw readerGone(id);
    const expected = from ?? read;
    if (expected > next()) throw fromIsBeyond(id, next());
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
    const attempt = attempts[begin - first] ?? newest;
    const others = attempts.slice(begin - first).findIndex((other) => other !== attempt);
    const most = others < 0 ? limit : Math.min(limit, others);
    const units = kept.slice(begin - first, begin - first + most);
    if (units.length === 0 && !done) return undefined;
    const end = begin + units.length;
    const frozen: Frozen = {
      sequence: begin,
      missed: begin - by.expected,
      done: done && end === next(),
      attempt,
      units,
    };
    by.frozen.set(by.nextChunk, frozen);
    by.nextChunk += 1;
    by.expected = end;
    return frozen;
  }

  function answer(frozen: Frozen): Chunk | ArrayBuffer {
    const { sequence, missed, done: isLast, attempt, units } = frozen;
    // An empty chunk is one of items.
    if (!isBytes || units.length === 0)
      return { sequence, missed, done: isLast, attempt, items: units };
    return bytesChunk(sequence, missed, isLast, attempt, units as number[]);
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
      if (ask.chunk < by.nextChunk || ask.chunk >= by.nextChunk + WINDOW) throw readerGone(id);
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
    emit(units: readonly unknown[], bytes: boolean, attempt: number): void {
      isBytes = bytes;
      emitted += 1;
      for (const unit of units) {
        kept.push(unit);
        attempts.push(attempt);
      }
      newest = attempt;
      wake();
    },
    /** Drops the oldest units. Must not be called while there is a reader. */
    drop(count: number): void {
      if (attached) throw new Error("There is a reader.");
      kept = kept.slice(count);
      attempts = attempts.slice(count);
      first += count;
    },
    /** Takes the reader for gone, because it doesn't ask. */
    idle(): void {
      if (!attached) throw new Error("There is no reader.");
      gone.set(attached.name, attached.expected);
      attached = undefined;
      wake();
    },
    end(): void {
      done = true;
      wake();
    },
    stop(reader: string, position: number): void {
      const expected = gone.get(reader);
      const idled = expected !== undefined;
      gone.set(reader, idled ? Math.max(expected, Math.min(position, next())) : undefined);
      if (idled && !attached) readTo(Math.min(position, next()));
      if (attached?.name === reader) {
        readTo(Math.min(position, attached.expected));
        attached = undefined;
      }
      wake();
    },
    /** Drops the reader of a session that is gone. */
    lose(session: string): void {
      if (attached?.session === session) {
        gone.set(attached.name, undefined);
        attached = undefined;
      }
      wake();
    },
    wake,
    /** How many units are kept. */
    get kept() {
      return kept.length;
    },
    /** How often something was emitted. */
    get emitted() {
      return emitted;
    },
    get reader() {
      return attached?.name;
    },
  };
}

export type Items = ReturnType<typeof createItems>;
