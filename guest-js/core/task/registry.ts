import type { Started, TaskEvent } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { FollowedTask, watchTask } from "./followed-task.js";
import type { TrackedTask } from "./tracked-task.js";

/** The tasks this page follows, each once, whatever number of handles it has. */
export interface TaskRegistry {
  /** Starts a task under an id that nobody else has. Rejects with a TaskError and leaves nothing behind. */
  start(id: string, request: StartRequest): Promise<TrackedTask>;
  /** Follows a task that is there already. Rejects with a TaskError and leaves nothing behind. */
  attach(id: string): Promise<TrackedTask>;
  /** Takes back one `start` or `attach`. A task that nobody holds is no longer followed. */
  release(task: TrackedTask): void;
  receive(event: TaskEvent, nonce: string): void;
  /** How many tasks are followed, or about to be. */
  readonly size: number;
}

/** How a task is started. */
export interface StartRequest {
  /** The kind, for hints in errors. */
  readonly name: string;
  /** Makes the call, in each session anew. */
  readonly send: (nonce: string) => Promise<Started>;
  /** Whether the answer may be another task, that was there already: the one to follow from then on. */
  readonly mayJoin: boolean;
}

interface Entry {
  /** The id of the task, as far as it is known. */
  id: string;
  readonly followed: FollowedTask;
  /** Settles with the first request. */
  readonly opened: Promise<void>;
  holders: number;
  /** Resolves when the page has taken its leave of the task. */
  leaving: Promise<void> | undefined;
}

export function createTaskRegistry(session: Session): TaskRegistry {
  const entries = new Map<string, Entry>();
  /** Starts that may join, from the request to the answer, each with the tasks that the page stopped following meanwhile. */
  const joining = new Map<Entry, Set<string>>();

  function open(id: string, request: (nonce: string) => Promise<Started>, name?: string): Entry {
    const forget = () => {
      if (entries.get(entry.id) !== entry) return;
      entries.delete(entry.id);
      for (const stopped of joining.values()) stopped.add(entry.id);
    };
    const followed = new FollowedTask(session, id, forget);
    const opened = followed.open(request, name).catch((error: unknown) => {
      forget();
      throw error;
    });
    const entry: Entry = { id, followed, opened, holders: 0, leaving: undefined };
    // Before the answer: events may come first.
    entries.set(id, entry);
    return entry;
  }

  async function hold(entry: Entry): Promise<TrackedTask> {
    entry.holders += 1;
    await entry.opened;
    return entry.followed;
  }

  async function attach(id: string): Promise<TrackedTask> {
    let entry = entries.get(id);
    while (entry?.leaving) {
      await entry.leaving;
      entry = entries.get(id);
    }
    return hold(entry ?? open(id, (nonce) => watchTask(nonce, id)));
  }

  /** Until the answer tells which task it is, the entry hears of all of them: what is not of its own it drops. */
  async function startOrJoin(id: string, { name, send }: StartRequest): Promise<TrackedTask> {
    const entry = open(id, send, name);
    const stopped = new Set<string>();
    joining.set(entry, stopped);
    try {
      const task = await hold(entry);
      return task.id === id ? task : await join(entry, stopped);
    } finally {
      joining.delete(entry);
    }
  }

  /** `entry` is of a task that had another id already. Puts it under that, or what it knows to the entry there. */
  async function join(entry: Entry, stopped: ReadonlySet<string>): Promise<TrackedTask> {
    const { followed } = entry;
    const { id } = followed;
    entries.delete(entry.id);
    for (;;) {
      const known = entries.get(id);
      if (!known) {
        entry.id = id;
        if (followed.phase === "live") entries.set(id, entry);
        // What the page asked for after the start may have been answered before it, and may be the newer state.
        followed.keep(stopped.has(id));
        return followed;
      }
      if (known.leaving) {
        await known.leaving;
        continue;
      }
      try {
        const task = await hold(known);
        // Of two answers that are on their way at once the older one may come last.
        await known.followed.settled();
        // What the plugin had not told of it yet came with this answer alone.
        if (followed.snapshot) known.followed.catchUp(followed.snapshot);
        followed.drop();
        return task;
      } catch {
        // The other request for the same task failed, and this one didn't: it has the task for itself.
      }
    }
  }

  return {
    start: (id, request) =>
      request.mayJoin ? startOrJoin(id, request) : hold(open(id, request.send, request.name)),
    attach,
    release(task) {
      const entry = entries.get(task.id);
      if (entry?.followed !== task) return;
      entry.holders -= 1;
      if (entry.holders > 0) return;
      entry.leaving = entry.followed.leave();
    },
    receive(event, nonce) {
      const entry = entries.get(event.id);
      entry?.followed.receive(event, nonce);
      for (const other of joining.keys()) {
        if (other !== entry) other.followed.receive(event, nonce);
      }
    },
    get size() {
      return new Set([...entries.values(), ...joining.keys()]).size;
    },
  };
}
