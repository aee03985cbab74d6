/** The part of the plugin that lets the page control tasks: stop, pause and move them, give them up, and limit them. */
import type { LimitOf, TaskFilter } from "../../core/ipc/bindings.js";
import { checkFilter } from "./filter.js";
import type { Args } from "./json.js";
import type { Life } from "./life.js";
import type { News } from "./news.js";
import { ENDED } from "./queue.js";
import { alreadyEnded, notEnded, notPausable, notQueued, reasonOfCaller } from "./refusals.js";
import type { Sessions } from "./sessions.js";
import { isConcerned, isTold, type Shares, sees } from "./shares.js";
import type { KeptTask, Table } from "./table.js";

/** What the control needs from the rest of the plugin. */
export interface ControlParts {
  readonly table: Table;
  readonly sessions: Sessions;
  readonly shares: Shares;
  readonly news: News;
  readonly life: Life;
}

export function createControl({ table, sessions, shares, news, life }: ControlParts) {
  const limits = new Map<string, number | null>();

  function setHeld(id: string, held: boolean): null {
    const task = table.get(id, sees);
    const { status } = task.snapshot;
    if (ENDED.includes(status)) throw alreadyEnded(task.snapshot, "pause or resume");
    if (status !== "queued") throw notPausable(task.snapshot);
    task.held = held;
    if (held) task.hasTurn = false;
    news.join(id);
    life.requeue();
    return null;
  }

  return {
    /** Returns how many of these tasks may run at once, if that is limited. */
    limit: (of: LimitOf): number | null => limits.get(JSON.stringify(of)) ?? null,

    setLimit(of: LimitOf, limit: number | null): void {
      limits.set(JSON.stringify(of), limit);
      life.requeue();
    },

    handlers: {
      leave(args: Args) {
        const id = shares.leave(String(args["id"]));
        const task: KeptTask | undefined = table.all.get(id ?? "");
        if (id === undefined || !task) return null;
        if (task.shares.size === 0 && !task.isNeeded) life.tell(task, "signal");
        // Whatever its permissions are: the page asks again for what it may still see.
        if (!isConcerned(task)) sessions.loseFollows(id);
        if (!isTold(task)) news.touch(id);
        return null;
      },

      cancel(args: Args) {
        const task = table.get(args["id"], sees);
        const reason = reasonOfCaller(args["reason"]);
        if (ENDED.includes(task.snapshot.status)) throw alreadyEnded(task.snapshot, "cancel");
        life.tell(task, reason);
        return null;
      },

      cancel_all(args: Args) {
        const filter = args["filter"] as TaskFilter;
        checkFilter(filter);
        const reason = reasonOfCaller(args["reason"]);
        return table.found(filter, sees).filter(({ id }) => life.tell(table.get(id), reason))
          .length;
      },

      pause: (args: Args) => setHeld(String(args["id"]), true),
      resume: (args: Args) => setHeld(String(args["id"]), false),

      set_priority(args: Args) {
        const task = table.get(args["id"], sees);
        const { id, status } = task.snapshot;
        if (status !== "queued") throw notQueued(task.snapshot);
        task.priority = Number(args["priority"]);
        news.join(id);
        life.requeue();
        return null;
      },

      set_limit(args: Args) {
        limits.set(JSON.stringify(args["of"]), args["limit"] as number | null);
        life.requeue();
        return null;
      },

      remove(args: Args) {
        const { snapshot } = table.get(args["id"], sees);
        if (!ENDED.includes(snapshot.status)) throw notEnded(snapshot, "removed");
        life.evict(snapshot.id);
        return null;
      },
    },
  };
}
