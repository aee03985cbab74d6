import type { TaskFilter, TaskSnapshot } from "../ipc/bindings.js";
import type { ListRegistry } from "../lists/lists.js";
import type { Hold } from "./hold.js";

/** What to follow, and whom to tell. */
export interface Wanted {
  readonly filter: TaskFilter;
  readonly callback: (snapshots: TaskSnapshot[]) => void;
  readonly everyMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Follows a live list, until the returned function is called or the handle that it belongs to is let go of. Calls back for the
 * first time when the promise has resolved, so that the caller has that function. `read` reads the arguments, and may throw.
 */
export function watchList(
  lists: ListRegistry,
  hold: Hold | undefined,
  read: () => Wanted,
): Promise<() => void> {
  async function open(): Promise<{ stop(): void; begin(): void }> {
    const { filter, callback, everyMs, signal } = read();
    if (hold?.lost) throw hold.lost.reason;
    const list = await lists.watch(filter, callback, everyMs, signal);
    if (hold?.lost) {
      list.stop();
      throw hold.lost.reason;
    }
    const offLost = hold?.onLost(list.stop);
    return {
      begin: list.begin,
      stop() {
        offLost?.();
        list.stop();
      },
    };
  }

  return new Promise((resolve, reject) => {
    open().then(({ stop, begin }) => {
      resolve(stop);
      // The caller hears of the promise first.
      queueMicrotask(begin);
    }, reject);
  });
}
