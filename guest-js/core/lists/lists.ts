import { onAbort, throwIfAborted } from "../callbacks/abort.js";
import { callGuarded } from "../callbacks/listeners.js";
import { commands } from "../calls/commands.js";
import { TaskError } from "../errors/task-error.js";
import type { ListChange, TaskFilter, TaskSnapshot } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { createSubscription } from "../session/subscription.js";
import { createSortedSnapshots } from "./sorted-snapshots.js";

/** The live lists of this page. */
export interface ListRegistry {
  /**
   * Follows the tasks that match. Calls back at most once in `everyMs` milliseconds except for ends; in each frame if it is 0. If
   * it rejects, with a TaskError or with the signal's reason, nothing is followed.
   */
  watch(
    filter: TaskFilter,
    callback: (snapshots: TaskSnapshot[]) => void,
    everyMs: number,
    signal: AbortSignal | undefined,
  ): Promise<WatchedList>;
  /** Takes the changes in one message. With `more`, the next message has the rest of them. */
  receive(changes: readonly ListChange[], more: boolean, nonce: string): void;
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
  /** Calls back if changes wait for the rest of their message. */
  flush(): void;
  stop(): void;
}

export function createListRegistry(session: Session): ListRegistry {
  const lists = new Map<number, LiveList>();
  let last = 0;
  /** Whether the rest of the newest changes comes in the next message. */
  let partial = false;

  return {
    async watch(filter, callback, everyMs, signal) {
      throwIfAborted(signal);
      last += 1;
      const watch = last;
      const list = followList(session, watch, filter, callback, everyMs, () => partial);
      lists.set(watch, list);
      let off = () => {};
      const stop = () => {
        off();
        lists.delete(watch);
        list.stop();
      };
      try {
        await new Promise<void>((resolve, reject) => {
          // After `watch` has resolved, an abort only stops the list.
          if (signal) {
            off = onAbort(signal, (reason) => {
              stop();
              reject(reason);
            });
          }
          list.open().then(resolve, reject);
        });
      } catch (error) {
        stop();
        throw error;
      }
      return { begin: list.begin, stop };
    },
    receive(changes, more, nonce) {
      partial = more;
      for (const change of changes) lists.get(change.watch)?.receive(change, nonce);
      if (!more) for (const list of [...lists.values()]) list.flush();
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
  everyMs: number,
  isPartial: () => boolean,
): LiveList {
  const target = { type: "list" as const, data: { watch, filter } };
  const known = createSortedSnapshots();
  let begun = false;
  let stopped = false;
  /** Since when the callback has not been told of the newest changes; `undefined` if it has been. */
  let untoldSince: number | undefined;

  function tell(): void {
    untoldSince = undefined;
    if (begun && !stopped) callGuarded(callback, known.all());
  }

  /** Whether to wait for the rest of these changes, so that what the plugin tells in several messages is one update. */
  function waits({ changed, removed }: ListChange, since: number): boolean {
    const mayEnd = removed.length > 0 || changed.some(({ endedAt }) => endedAt !== null);
    return isPartial() && !mayEnd && performance.now() - since < everyMs;
  }

  const request = (nonce: string) => commands.watch(nonce, target, everyMs);

  const subscription = createSubscription<TaskSnapshot[], ListChange>(session, {
    watch: request,
    restore(all) {
      known.reset(all);
      tell();
    },
    apply(change) {
      if (known.apply(change)) untoldSince ??= performance.now();
      if (untoldSince !== undefined && !waits(change, untoldSince)) tell();
    },
    // The plugin always has a list, even if no task matches.
    vanished() {},
    unwanted(nonce) {
      commands.unwatch(nonce, target).catch(() => {});
    },
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
    open: () =>
      subscription.open((nonce) => {
        // It may have been stopped while the session was being opened.
        if (stopped) throw new TaskError("detached", "Nobody watches this list any more.");
        return request(nonce);
      }),
    receive: subscription.receive,
    begin() {
      begun = true;
      tell();
    },
    flush() {
      if (untoldSince !== undefined) tell();
    },
    stop() {
      if (stopped) return;
      stopped = true;
      leave().catch(() => {});
    },
  };
}
