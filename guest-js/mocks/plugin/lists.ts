/** The part of the plugin that says which tasks there are, and lets a session watch them. */
import type { TaskCounts, TaskFilter, TaskStatus, WatchTarget } from "../../core/ipc/bindings.js";
import { checkFilter } from "./filter.js";
import type { Args } from "./json.js";
import { newPace } from "./pace.js";
import { checkBound } from "./refusals.js";
import type { Sessions } from "./sessions.js";
import { isTold } from "./shares.js";
import type { Table } from "./table.js";

/** How many tasks a page of a list has if the client doesn't say. */
const DEFAULT_LIMIT = 1_000;

/**
 * Creates the lists. `kinds` are those that are registered, if that is known. `limitOf` returns how many tasks of a kind may run at
 * once, if that is limited.
 */
export function createLists(
  table: Table,
  sessions: Sessions,
  kinds: ReadonlySet<string> | undefined,
  limitOf: (task: string) => number | null,
) {
  let listLimit = DEFAULT_LIMIT;

  function countsOf(task: string): TaskCounts {
    const of = (status: TaskStatus) =>
      table
        .found({ task: [task], status: [status] }, () => true)
        .filter(({ members }) => members === null).length;
    return {
      task,
      limit: limitOf(task),
      group: null,
      queued: of("queued"),
      running: of("running"),
      retrying: of("retrying"),
      cancelling: of("cancelling"),
      completed: of("completed"),
      failed: of("failed"),
      cancelled: of("cancelled"),
      timedOut: of("timedOut"),
    };
  }

  return {
    /** Sets how many tasks a page of a list has if the client doesn't say. */
    limitLists(limit: number): void {
      listLimit = limit;
    },

    handlers: {
      watch(args: Args) {
        const session = sessions.of(args);
        const target = args["target"] as WatchTarget;
        if (target.type === "task") {
          const { id } = target.data;
          const { snapshot } = table.get(id, isTold);
          if (!session.tasks.has(id)) checkBound("follows", session.tasks.size);
          const { everyMs } = newPace(args["everyMs"], session.tasks.get(id));
          return [sessions.follow(session, snapshot, everyMs)];
        }
        const { filter, watch } = target.data;
        checkFilter(filter);
        if (!session.lists.has(watch)) {
          const open = [...sessions.all.values()].reduce((sum, one) => sum + one.lists.size, 0);
          checkBound("lists", open);
        }
        const listed = table.found(filter);
        session.lists.set(watch, {
          pace: newPace(args["everyMs"], session.lists.get(watch)?.pace),
          filter,
          ids: new Set(listed.map((snapshot) => snapshot.id)),
          changed: new Set(),
          progressed: new Set(),
          removed: new Set(),
        });
        return listed;
      },

      unwatch(args: Args) {
        const session = sessions.of(args);
        const target = args["target"] as WatchTarget;
        if (target.type === "list") session.lists.delete(target.data.watch);
        else sessions.unfollow(session, target.data.id);
        return null;
      },

      get: (args: Args) => table.get(args["id"], isTold).snapshot,

      list(args: Args) {
        const filter = args["filter"] as TaskFilter;
        checkFilter(filter);
        const after = Number(args["after"] ?? 0);
        const limit = Number(args["limit"] ?? listLimit);
        const rest = table.found(filter).filter(({ order }) => order > after);
        const page = rest.slice(0, limit);
        return { tasks: page, next: rest.length > limit ? (page.at(-1)?.order ?? null) : null };
      },

      counts() {
        const names = kinds ?? [...table.all.values()].map(({ snapshot }) => snapshot.task);
        return [...new Set(names)].sort().map(countsOf);
      },
    },
  };
}
