import type { TaskItems } from "../types/items.js";
import type { Cursor } from "./cursor.js";

export function toIterator<T>(cursor: Cursor<T>): TaskItems<T> {
  /** Settles when the last pending `next` does; `undefined` if none is pending. */
  let waiting: Promise<void> | undefined;

  async function step(): Promise<IteratorResult<T, undefined>> {
    // The cursor may have been closed while it loaded.
    if (cursor.ready || ((await cursor.load()) && cursor.ready))
      return { value: cursor.take(), done: false };
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
    // The fast path, for an item that has already come.
    next: () =>
      waiting === undefined && cursor.ready
        ? Promise.resolve({ value: cursor.take(), done: false })
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
    get attempt() {
      return cursor.attempt;
    },
  };
}
