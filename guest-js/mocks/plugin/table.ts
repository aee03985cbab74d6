/** The part of the plugin that keeps its tasks, with what it knows of each. */
import type { Outcome, StartOptions, TaskFilter, TaskSnapshot } from "../../core/ipc/bindings.js";
import { matches } from "./filter.js";
import { createItems, type Items } from "./items.js";
import { throughJson } from "./json.js";
import { emptyProgress } from "./progress.js";
import type { Waiting } from "./queue.js";
import { notFound, outcomeExpired } from "./refusals.js";
import { isTold, type Shared, sees } from "./shares.js";

/** How large an input may be to be in snapshots, in bytes of JSON. */
const SHOWN_LIMIT = 4_096;

/** What the plugin keeps of one task. */
export interface KeptTask extends Waiting, Shared {
  /** The input as JSON. */
  readonly input: string;
  outcome: Outcome | null;
  readonly items: Items;
  /** How many members may run at once, if it is a batch that says so. */
  readonly concurrency: number | null;
}

/** A task that is about to be accepted. */
export interface NewTask {
  readonly id: string;
  readonly task: string;
  readonly input: unknown;
  /** The label of the window that owns it; `null` if the app does. */
  readonly owner: string | null;
  readonly options?: StartOptions;
  readonly concurrency?: number | null;
  readonly more?: Partial<TaskSnapshot>;
}

/** Creates the table of the tasks that the page with this label may ask for. `shown` are the kinds whose snapshots have the input. */
export function createTable(page: string, shown: ReadonlySet<string>) {
  const all = new Map<string, KeptTask>();
  /** The tasks that were forgotten, each with whether the page saw it. */
  const gone = new Map<string, boolean>();
  /** The items of tasks that were forgotten, while their readers read on. */
  const outlived = new Map<string, Items>();
  let made = 0;
  /** How many tasks were accepted so far. */
  let arrivals = 0;

  /** Returns a task, unless `may` says that the page may not know of it. */
  function get(id: unknown, may: (task: KeptTask) => boolean = () => true): KeptTask {
    const task = all.get(String(id));
    if (!task || !may(task)) throw notFound(id);
    return task;
  }

  return {
    all,
    gone: gone as ReadonlyMap<string, boolean>,
    get,

    /** Does what `get` does, but says so if the page saw the task before it was forgotten. */
    getOrExpired(id: string, may: (task: KeptTask) => boolean): KeptTask {
      if (gone.get(id)) throw outcomeExpired(id);
      return get(id, may);
    },

    /** Returns the tasks that match, of those that the page may know of. */
    found(filter: TaskFilter, may: (task: KeptTask) => boolean = isTold): TaskSnapshot[] {
      const known = [...all.values()].filter(may);
      return known.map((task) => task.snapshot).filter((one) => matches(one, filter));
    },

    /** Returns the items of a task, which may have been forgotten, if this reader is there. */
    readBy(id: string, reader: string): Items | undefined {
      const items = all.get(id)?.items ?? outlived.get(id);
      return items?.reader === reader ? items : undefined;
    },

    /** Drops the readers of a session that is gone. */
    loseReaders(session: string): void {
      for (const { items } of all.values()) items.lose(session);
      for (const [id, items] of outlived) {
        items.lose(session);
        if (items.reader === undefined) outlived.delete(id);
      }
    },

    membersOf: (id: string): KeptTask[] =>
      [...all.values()].filter(({ snapshot }) => snapshot.parent === id),

    /** Returns the id for a task that the page doesn't start. */
    newId(): string {
      made += 1;
      return `00000000-0000-7000-8000-${String(made).padStart(12, "0")}`;
    },

    add({
      id,
      task,
      input,
      owner,
      options = {},
      concurrency = null,
      more = {},
    }: NewTask): KeptTask {
      const { priority = 0, held = false, key = null, label = null, tags = [], delayMs } = options;
      arrivals += 1;
      const added: KeptTask = {
        options,
        priority,
        held,
        hasTurn: false,
        concurrency,
        snapshot: {
          id,
          order: arrivals,
          task,
          status: "queued",
          sequence: 1,
          owner,
          progress: emptyProgress(),
          attempt: 0,
          cancelReason: null,
          timeLimit: null,
          overdue: false,
          queue: null,
          nextAttemptAt: delayMs ? Date.now() + delayMs : null,
          createdAt: Date.now(),
          startedAt: null,
          endedAt: null,
          input: shown.has(task) && more.members === undefined ? shownInput(input) : null,
          error: null,
          key,
          label,
          tags,
          parent: null,
          waitsFor: [],
          members: null,
          ...more,
        },
        input: JSON.stringify(input ?? null),
        isMine: owner === page,
        isHidden: false,
        shares: new Set(),
        isNeeded: false,
        outcome: null,
        items: createItems(id),
      };
      all.set(id, added);
      return added;
    },

    /** Forgets a task. */
    forget(id: string): void {
      const task = all.get(id);
      all.delete(id);
      gone.set(id, task !== undefined && sees(task));
      if (task?.items.reader !== undefined) outlived.set(id, task.items);
      task?.items.wake();
    },
  };
}

function shownInput(input: unknown): unknown {
  return JSON.stringify(input ?? null).length > SHOWN_LIMIT ? null : throughJson(input);
}

export type Table = ReturnType<typeof createTable>;
