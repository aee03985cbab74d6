import type { KeptTask } from "../plugin/table.js";

/** How many items, and how many bytes, wait for their reader at most. */
const ITEMS = 65_536;
const BYTES = 8 * 1_024 * 1_024;
/** After so many items the page gets a turn, so that a script which only emits doesn't hold it up. */
const AT_ONCE = 256;

/**
 * Emits an item of a task, or bytes. Resolves when there is room for the next one. Without a reader, the oldest make room. `turn`
 * resolves in the next turn of the page.
 */
export async function emitItem(
  { items }: KeptTask,
  attempt: number,
  item: unknown,
  turn: () => Promise<void>,
): Promise<void> {
  const isBytes = item instanceof Uint8Array;
  const units: unknown[] = isBytes ? [...item] : [JSON.parse(JSON.stringify(item ?? null))];
  items.emit(units, isBytes, attempt);
  const most = isBytes ? BYTES : ITEMS;
  while (items.kept > most) {
    if (items.reader === undefined) items.drop(items.kept - most);
    else await room(items);
  }
  if (items.emitted % AT_ONCE === 0) await turn();
}

/** Resolves when the items may have changed. */
function room(items: KeptTask["items"]): Promise<void> {
  return new Promise((resolve) => {
    const off = items.wait(() => {
      off();
      resolve();
    });
  });
}
