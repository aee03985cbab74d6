/** The part of the plugin that notes what each session is still to be told. */
import type { TaskEvent } from "../../core/ipc/bindings.js";
import { matches } from "./filter.js";
import type { Sessions } from "./sessions.js";
import { isTold } from "./shares.js";
import type { Table } from "./table.js";

/** Creates the news. `noted` is called when there may be something to tell. */
export function createNews(table: Table, sessions: Sessions, noted: () => void) {
  /** Notes that lists may have gained or lost a task, or that it has changed. */
  function touch(id: string, onlyProgress = false): void {
    const task = table.all.get(id);
    const snapshot = task && isTold(task) ? task.snapshot : undefined;
    for (const session of sessions.all.values()) {
      for (const list of session.lists.values()) {
        if (snapshot && matches(snapshot, list.filter)) {
          if (onlyProgress && list.ids.has(id)) {
            list.progressed.add(id);
            continue;
          }
          list.ids.add(id);
          list.changed.add(id);
          list.removed.delete(id);
        } else if (list.ids.delete(id)) {
          list.changed.delete(id);
          list.progressed.delete(id);
          list.removed.add(id);
        }
      }
    }
    noted();
  }

  /** Gives a task its turn to be told of, unless it has one. */
  function join(id: string): void {
    for (const { turns } of sessions.all.values()) turns.add(id);
  }

  return {
    touch,
    join,

    /**
     * Notes an event for those who follow the task. Newer progress, places and waits replace those that were not sent. Of the
     * statuses, only the end waits for the progress.
     */
    event(id: string, sequence: number, change: TaskEvent["change"]): void {
      const isStatus = change.type === "status" && change.data.endedAt === null;
      for (const session of sessions.all.values()) {
        if (!session.tasks.has(id)) continue;
        const waiting = session.events.find(
          (event) => event.id === id && event.change.type === "progress",
        );
        if (waiting && (isStatus || change.type === "progress")) {
          session.events.splice(session.events.indexOf(waiting), 1);
        }
        if (change.type !== "progress") {
          // Only the newest place is sent, and none once the task no longer waits.
          session.events = session.events.filter(
            (event) => event.id !== id || event.change.type !== "queue",
          );
        }
        session.turns.add(id);
        session.events.push({ id, sequence, change });
        if (waiting && isStatus) session.events.push({ ...waiting, sequence });
      }
      touch(id, change.type === "progress");
    },
  };
}

export type News = ReturnType<typeof createNews>;
