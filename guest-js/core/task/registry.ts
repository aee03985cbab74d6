import { abortOf } from "../callbacks/abort.js";
import { withLate } from "../calls/late.js";
import { TaskError } from "../errors/task-error.js";
import type { Started, TaskEvent } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { FollowedTask, type LateCall, unwatchTask, watchTask } from "./followed-task.js";
import type { TrackedTask } from "./tracked-task.js";

/** The tasks that this page follows: each one once, however many handles it has. */
export interface TaskRegistry {
  /** Starts a task under a new id. If it rejects, with a TaskError, nothing is followed. */
  start(id: string, request: StartRequest): Promise<TrackedTask>;
  /**
   * Follows an existing task. If it rejects, with a TaskError, nothing is followed. If the signals of all callers that wait for the
   * task are aborted before it is requested, it is not requested.
   */
  attach(id: string, signal?: AbortSignal): Promise<TrackedTask>;
  /** Undoes one `start` or `attach`. After the last one, the task is no longer followed. */
  release(task: TrackedTask): void;
  /**
   * Requests the state of a task once more if it is followed, since the plugin may no longer send its events. If the page may not be
   * told of it any more, the task vanishes.
   */
  recheck(id: string): void;
  /** Does what `recheck` does, for all tasks of this kind that a start may join. */
  recheckJoinable(name: string): void;
  receive(event: TaskEvent, nonce: string): void;
  /** The number of tasks that are followed or requested. */
  readonly size: number;
}

/** How a task is started. */
export interface StartRequest {
  /** The kind, for hints in errors. */
  readonly name: string;
  /** Makes the call. It is called again in a new session if the session is gone. */
  readonly send: (nonce: string) => Promise<Started>;
  /** Whether the answer may be another task, which already exists and is followed instead. */
  readonly mayJoin: boolean;
}

interface Entry {
  /** The id of the task; until the answer comes, the id in the request. */
  id: string;
  readonly followed: FollowedTask;
  /** Settles when the first request does. */
  readonly opened: Promise<void>;
  holders: number;
  /** Those of the holders that wait for the first answer. */
  readonly waits: Set<{ readonly signal: AbortSignal | undefined }>;
  /** Resolves when the page has stopped following the task; `undefined` until it begins to stop. */
  leaving: Promise<void> | undefined;
}

export function createTaskRegistry(session: Session): TaskRegistry {
  const entries = new Map<string, Entry>();
  /** Pending starts that may join, each with the ids of the tasks that the page has stopped following since it was sent. */
  const joining = new Map<Entry, Set<string>>();

  function noteStop(id: string): void {
    for (const stopped of joining.values()) stopped.add(id);
  }

  function open(id: string, request: (nonce: string) => Promise<Started>, name?: string): Entry {
    const forget = () => {
      if (entries.get(entry.id) !== entry) return;
      entries.delete(entry.id);
      noteStop(entry.id);
    };
    const followed = new FollowedTask(session, id, {
      forget,
      late: (call) => void takeLate(call),
    });
    const opened = followed.open(request, name).catch((error: unknown) => {
      forget();
      throw error;
    });
    const entry: Entry = { id, followed, opened, holders: 0, waits: new Set(), leaving: undefined };
    // Register it before the answer comes: events may come earlier.
    entries.set(id, entry);
    return entry;
  }

  async function hold(entry: Entry, signal?: AbortSignal): Promise<TrackedTask> {
    entry.holders += 1;
    const wait = { signal };
    entry.waits.add(wait);
    try {
      await entry.opened;
    } finally {
      entry.waits.delete(wait);
    }
    return entry.followed;
  }

  function openExisting(id: string): Entry {
    const entry = open(id, (nonce) => {
      if ([...entry.waits].some(({ signal }) => !abortOf(signal))) return watchTask(nonce, id);
      // At once, so that whoever attaches next requests the task.
      entries.delete(id);
      throw new TaskError("detached", `Nobody waits for task ${id} any more.`);
    });
    return entry;
  }

  async function attach(id: string, signal?: AbortSignal): Promise<TrackedTask> {
    let entry = entries.get(id);
    while (entry?.leaving) {
      await entry.leaving;
      entry = entries.get(id);
    }
    return hold(entry ?? openExisting(id), signal);
  }

  /**
   * A `watch` or `unwatch` that the page has given up was carried out after all, perhaps after those that the page has sent since.
   * What nobody needs is undone once, however late the answer to that is.
   */
  async function takeLate({ command, id, nonce }: LateCall): Promise<void> {
    await entries.get(id)?.leaving;
    if (command === "watch" && !entries.has(id)) {
      const repeat = () => entries.get(id)?.followed.repeat();
      // A call that was never carried out is not repeated: the events of one task do no harm.
      await withLate(unwatchTask(nonce, id), repeat).catch(() => {});
    }
    recheck(id);
  }

  function recheck(id: string): void {
    noteStop(id);
    // Somebody may have begun to follow the task before the plugin has stopped.
    entries.get(id)?.followed.repeat();
  }

  function recheckJoinable(name: string): void {
    for (const [id, { followed }] of entries) {
      const { snapshot } = followed;
      if (!snapshot || (snapshot.task === name && snapshot.key !== null)) recheck(id);
    }
  }

  /**
   * Starts or joins a task. Until the answer says which task it is, the entry gets the events of all tasks. It then
   * drops those of the others.
   */
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

  /** Moves an entry whose task turned out to have another id to that id, or merges it into the entry that is already there. */
  async function join(entry: Entry, stopped: ReadonlySet<string>): Promise<TrackedTask> {
    const { followed } = entry;
    const { id } = followed;
    entries.delete(entry.id);
    for (;;) {
      const known = entries.get(id);
      if (!known) {
        entry.id = id;
        if (followed.phase === "live") entries.set(id, entry);
        // If the page has stopped following the task since the request, the plugin may no longer send its events.
        followed.keep(stopped.has(id));
        return followed;
      }
      if (known.leaving) {
        await known.leaving;
        continue;
      }
      try {
        const task = await hold(known);
        // The older of two pending answers may come last.
        await known.followed.settled();
        // This answer may hold changes that the plugin has not pushed yet.
        if (followed.snapshot) known.followed.catchUp(followed.snapshot);
        followed.drop();
        return task;
      } catch {
        // The other request for this task failed and its entry is gone. This request did not fail, so try again.
      }
    }
  }

  function release(task: TrackedTask): void {
    const entry = entries.get(task.id);
    if (entry?.followed !== task) return;
    entry.holders -= 1;
    if (entry.holders > 0) return;
    entry.leaving = entry.followed.leave();
  }

  return {
    start: (id, request) =>
      request.mayJoin ? startOrJoin(id, request) : hold(open(id, request.send, request.name)),
    attach,
    release,
    recheck,
    recheckJoinable,
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
