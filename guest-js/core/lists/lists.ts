import { onAbort } from "../callbacks/abort.js";
import { callGuarded } from "../callbacks/listeners.js";
import { commands, type ListChange, type TaskFilter, type TaskSnapshot } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { createSubscription } from "../session/subscription.js";
import { createSortedSnapshots } from "./sorted-snapshots.js";

/** The live lists of this page. */
export interface ListRegistry {
  /** Follows the tasks that match. If it rejects, with a TaskError or with the signal's reason, nothing is followed. */
  watch(
    filter: TaskFilter,
    callback: (snapshots: TaskSnapshot[]) => void,
    signal: AbortSignal | undefined,
  ): Promise<WatchedList>;
  receive(change: ListChange, nonce: string): void;
  /** The number of lists that are followed. */
  readonly size: number;
}

/** A list that is followed. */
export interface WatchedList {
  /** Calls back for the first time, with the newest state. Before that, `callback` is not called. */
  begin(): void;
  stop(): void;
}

interface LiveList {
  open(): Promise<void>;
  receive(change: ListChange, nonce: string): void;
  begin(): void;
  stop(): void;
}

export function createListRegistry(session: Session): ListRegistry {
  const lists = new Map<number, LiveList>();
  let last = 0;

  return {
    async watch(filter, callback, signal) {
      if (signal?.aborted) throw signal.reason;
      last += 1;
      const watch = last;
      const list = followList(session, watch, filter, callback);
      lists.set(watch, list);
      let off = () => {};
      const stop = () => {
        off();
        lists.delete(watch);
        list.stop();
      };
      const opened = list.open();
      opened.catch(stop);
      const watched = { begin: list.begin, stop };
      if (!signal) {
        await opened;
        return watched;
      }
      const aborted = new Promise<never>((_, reject) => {
        off = onAbort(signal, (reason) => {
          stop();
          reject(reason);
        });
      });
      // An abort after `watch` has resolved only stops the list: nobody handles this rejection.
      aborted.catch(() => {});
      await Promise.race([aborted, opened]);
      return watched;
    },
    receive(change, nonce) {
      lists.get(change.watch)?.receive(change, nonce);
    },
    get size() {
      return lists.size;
    },
  };
}

function followList(
  session: Session,
  watch: number,
  filter: TaskFilter,
  callback: (snapshots: TaskSnapshot[]) => void,
): LiveList {
  const target = { type: "list" as const, data: { watch, filter } };
  const known = createSortedSnapshots();
  let begun = false;
  let stopped = false;

  function tell(): void {
    if (begun && !stopped) callGuarded(callback, known.all());
  }

  const subscription = createSubscription<TaskSnapshot[], ListChange>(session, {
    watch: (nonce) => commands.watch(nonce, target),
    restore(all) {
      known.reset(all);
      tell();
    },
    apply(change) {
      if (known.apply(change)) tell();
    },
    // The plugin always has a list, even if no task matches.
    vanished() {},
  });

  async function leave(): Promise<void> {
    subscription.leave();
    // Wait for a pending watch first: the plugin may run the two commands in either order.
    await subscription.settled();
    const { nonce } = subscription;
    subscription.close();
    if (nonce !== undefined) await commands.unwatch(nonce, target);
  }

  return {
    open: () => subscription.open((nonce) => commands.watch(nonce, target)),
    receive: subscription.receive,
    begin() {
      begun = true;
      tell();
    },
    stop() {
      if (stopped) return;
      stopped = true;
      leave().catch(() => {});
    },
  };
}
