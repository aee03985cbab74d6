import type { TaskEvent, TaskSnapshot } from "./bindings.js";
import type { Session } from "./session.js";
import { type FollowedTask, followTask, type TrackedTask, watchTask } from "./task.js";

/** The tasks this page follows, each once, whatever number of handles it has. */
export interface TaskRegistry {
  /**
   * Starts a task under an id that nobody else has. Rejects with a TaskError and leaves nothing behind.
   * `request` makes the call, `name` is for hints in errors.
   */
  start(
    id: string,
    name: string,
    request: (nonce: string) => Promise<TaskSnapshot>,
  ): Promise<TrackedTask>;
  /** Follows a task that is there already. Rejects with a TaskError and leaves nothing behind. */
  attach(id: string): Promise<TrackedTask>;
  /** Takes back one `start` or `attach`. A task that nobody holds is no longer followed. */
  release(task: TrackedTask): void;
  receive(event: TaskEvent, nonce: string): void;
  /** How many tasks are followed. */
  readonly size: number;
}

interface Entry {
  readonly followed: FollowedTask;
  /** Settles with the first request. */
  readonly opened: Promise<void>;
  holders: number;
  /** Resolves when the page has taken its leave of the task. */
  leaving: Promise<void> | undefined;
}

export function createTaskRegistry(session: Session): TaskRegistry {
  const entries = new Map<string, Entry>();

  function open(
    id: string,
    request: (nonce: string) => Promise<TaskSnapshot>,
    name?: string,
  ): Entry {
    const forget = () => {
      if (entries.get(id)?.followed === followed) entries.delete(id);
    };
    const followed = followTask(session, id, forget);
    const opened = followed.open(request, name).catch((error: unknown) => {
      forget();
      throw error;
    });
    const entry: Entry = { followed, opened, holders: 0, leaving: undefined };
    // Before the answer: events may come first.
    entries.set(id, entry);
    return entry;
  }

  async function hold(entry: Entry): Promise<TrackedTask> {
    entry.holders += 1;
    await entry.opened;
    return entry.followed.task;
  }

  return {
    start: (id, name, request) => hold(open(id, request, name)),
    async attach(id) {
      let entry = entries.get(id);
      while (entry?.leaving) {
        await entry.leaving;
        entry = entries.get(id);
      }
      return hold(entry ?? open(id, (nonce) => watchTask(nonce, id)));
    },
    release(task) {
      const entry = entries.get(task.id);
      if (entry?.followed.task !== task) return;
      entry.holders -= 1;
      if (entry.holders === 0) entry.leaving = entry.followed.leave();
    },
    receive(event, nonce) {
      entries.get(event.id)?.followed.receive(event, nonce);
    },
    get size() {
      return entries.size;
    },
  };
}
