/** The part of the plugin that knows what the page may see, and which of its calls have a share in which task. */
import { checkBound } from "./refusals.js";

/** What of a task says who may see it. */
export interface Shared {
  /** Whether the page owns it. */
  readonly isMine: boolean;
  /** Whether no permission of the page covers it but the one to start tasks of its kind: a task of another owner. */
  isHidden: boolean;
  /** The calls of the page that have a share in it. */
  readonly shares: Set<string>;
  /** Whether others have shares in it, too. */
  isNeeded: boolean;
}

/** Whether the page may do with the task whatever a command does. */
export function sees({ isMine, isHidden }: Shared): boolean {
  return isMine || !isHidden;
}

/** Whether the page is told of the task whatever its permissions are: it owns the task or has a share in it. */
export function isConcerned({ isMine, shares }: Shared): boolean {
  return isMine || shares.size > 0;
}

/** Whether the page may be told of the task. */
export function isTold(task: Shared): boolean {
  return sees(task) || isConcerned(task);
}

/** Creates the shares of the page in these tasks, which have their ids as keys. */
export function createShares(tasks: ReadonlyMap<string, Shared>) {
  /** The tasks that calls have joined, by the ids of the calls. They remain here when they give their shares back. */
  const joined = new Map<string, string>();

  /** Returns how many shares the page has in tasks that it has joined. */
  function held(): number {
    const all = [...tasks].flatMap(([id, { shares }]) => [...shares].map((call) => [call, id]));
    return all.filter(([call = "", id]) => joined.get(call) === id).length;
  }

  return {
    /** Returns the id of the task that a call has joined. */
    joined: (call: string): string | undefined => joined.get(call),

    /** Refuses a call that would get one share too many, unless it is repeated. */
    check(call: string): void {
      if (!joined.has(call)) checkBound("shares", held());
    },

    /** Gives a call a share in a task that it has joined. A call gets one only once. */
    join(call: string, id: string): void {
      const task = tasks.get(id);
      if (!task || joined.has(call)) return;
      checkBound("shares", held());
      checkBound("sharesOfTask", task.shares.size);
      task.shares.add(call);
      joined.set(call, id);
    },

    /** Takes the share of a call. Returns the id of the task, or `undefined` if the call has no share. */
    leave(call: string): string | undefined {
      const id = joined.get(call) ?? call;
      return tasks.get(id)?.shares.delete(call) ? id : undefined;
    },
  };
}

export type Shares = ReturnType<typeof createShares>;
