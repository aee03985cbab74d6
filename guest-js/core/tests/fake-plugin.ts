/**
 * A small fake of the plugin for protocol 5. Like the real one, it numbers, conflates and packs messages and lets sessions lapse, and
 * all data passes through JSON. The test runs each frame (`frame`) and can delay answers (`hold`).
 */
import type { Channel } from "@tauri-apps/api/core";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { vi } from "vitest";
import type {
  BatchOptions,
  CancelReason,
  ListChange,
  Outcome,
  Progress,
  ScheduleSnapshot,
  SessionMessage,
  Started,
  StartOptions,
  StatusChange,
  TaskCounts,
  TaskEvent,
  TaskFilter,
  TaskSnapshot,
  TaskStatus,
  WatchTarget,
} from "../ipc/bindings.js";
import { checkFilter, matches } from "./fake-filter.js";
import { createFakeItems, type FakeItems } from "./fake-items.js";
import { ENDED, holderOf, places, type Waiting } from "./fake-queue.js";
import { checkBound, notFound, reasonOfCaller, wireError } from "./fake-refusals.js";
import { createFakeSchedules } from "./fake-schedules.js";
import { createFakeShares, isConcerned, isTold, type Shared, sees } from "./fake-shares.js";
import { createFakeWaits } from "./fake-waits.js";

const MESSAGE_LIMIT = 8_192;
const INLINE_LIMIT = 4_096;
const OUTCOME_WAIT_MS = 25_000;
const READ_WAIT_MS = 25_000;

/** The label of the page's webview. The page owns what it starts. */
const PAGE = "main";

type Args = Record<string, unknown>;

/** The news of one task in one list. */
interface ListEntry {
  readonly watch: number;
  readonly change: Partial<Omit<ListChange, "watch">>;
  /** Called when the entry is in a message. */
  readonly told: () => void;
}

interface FakeTask extends Waiting, Shared {
  input: string;
  outcome: Outcome | null;
  items: FakeItems;
}

/** How often something is told, and when it was told last. */
interface Pace {
  everyMs: number;
  toldAt: number;
}

function isDue({ everyMs, toldAt }: Pace): boolean {
  return performance.now() >= toldAt + everyMs;
}

function newPace(args: Args, known?: Pace): Pace {
  return { everyMs: Number(args["everyMs"] ?? known?.everyMs ?? 0), toldAt: performance.now() };
}

interface FakeList {
  pace: Pace;
  filter: TaskFilter;
  ids: Set<string>;
  changed: Set<string>;
  /** The tasks that have changed only in their progress. */
  progressed: Set<string>;
  removed: Set<string>;
}

interface FakeSession {
  nonce: string;
  channel: Channel<string>;
  /** The index of the next message on the channel. */
  index: number;
  last: number;
  /** The last message, until it is acknowledged. */
  open: SessionMessage | undefined;
  events: TaskEvent[];
  /** The tasks that it follows, each with the pace of its progress. */
  tasks: Map<string, Pace>;
  /** The tasks that it follows no longer since the page may not be told of them, until it is told so. */
  removed: Set<string>;
  lists: Map<number, FakeList>;
  lease: ReturnType<typeof setTimeout> | undefined;
}

/** What a page says that could be seen all the time. */
export const VISIBLE = { hidden: false, change: 0 };

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value ?? null)) as T;
}

/** Returns what a page gets of this JSON over a channel: Tauri evaluates a small payload and lets the page fetch a large one. */
function channelPayload(json: string): unknown {
  return json.length < MESSAGE_LIMIT ? new Function(`return ${json}`)() : JSON.parse(json);
}

export function emptyProgress(): Progress {
  return {
    completed: 0,
    total: null,
    fraction: null,
    unit: "none",
    rate: null,
    etaMs: null,
    message: null,
    detail: null,
  };
}

export function createFakePlugin() {
  const tasks = new Map<string, FakeTask>();
  /** The tasks that were forgotten, each with whether the page saw it. */
  const gone = new Map<string, boolean>();
  const shares = createFakeShares(tasks);
  const calling = createFakeWaits();
  const sessions = new Map<string, FakeSession>();
  const calls: { command: string; args: Args }[] = [];
  const sent: SessionMessage[] = [];
  const gates = new Map<string, Promise<void>[]>();
  const stalls = new Map<string, Promise<void>[]>();
  /** How long each call of a command takes to be answered, in milliseconds. */
  const delays = new Map<string, number>();
  const refusals = new Map<string, unknown[]>();
  const outcomeWaiters = new Map<string, Set<() => void>>();
  const limits = new Map<string, number | null>();
  /** The sessions of pages that are gone. Nothing reaches them. */
  const unloaded = new Set<string>();
  /** The outcomes of the next tasks to start, each of which ends before its start is answered. */
  const ends: Outcome[] = [];
  const answers = new Map<string, unknown[]>();
  /** How many answers of each command are still to get lost. */
  const losses = new Map<string, number>();
  /** The waiting reads of each session. Calling one makes it answer `null`. */
  const waiting = new Map<string, Set<() => void>>();
  let chunkLimit = 1_000;
  let listLimit = 1_000;
  let rawBytes = true;
  let made = 0;
  /** How many tasks were accepted so far. */
  let arrivals = 0;
  let leaseMs = 30_000;

  function sessionOf(args: Args): FakeSession {
    const session = sessions.get(String(args["session"]));
    if (!session) throw wireError("sessionGone");
    return session;
  }

  /** Returns a task, unless `may` says that the page may not know of it. */
  function taskOf(id: unknown, may: (task: FakeTask) => boolean = () => true): FakeTask {
    const task = tasks.get(String(id));
    if (!task || !may(task)) throw notFound(id);
    return task;
  }

  /** Does what `taskOf` does, but says so if the page saw the task before it was forgotten. */
  function taskOrExpired(id: string, may: (task: FakeTask) => boolean): FakeTask {
    if (gone.get(id)) throw wireError("outcomeExpired");
    return taskOf(id, may);
  }

  /** Returns the attempt that emits. Tests may emit without starting the task first. */
  function attemptOf(id: string): number {
    return Math.max(1, taskOf(id).snapshot.attempt);
  }

  function dropSession(session: FakeSession): void {
    clearTimeout(session.lease);
    sessions.delete(session.nonce);
    for (const { items } of tasks.values()) items.lose(session.nonce);
  }

  /** Returns the tasks that match, of those that the page may know of. */
  function found(filter: TaskFilter, may: (task: FakeTask) => boolean = isTold): TaskSnapshot[] {
    const known = [...tasks.values()].filter(may);
    return known.map((task) => task.snapshot).filter((one) => matches(one, filter));
  }

  function touch(id: string, onlyProgress = false): void {
    const task = tasks.get(id);
    const snapshot = task && isTold(task) ? task.snapshot : undefined;
    for (const session of sessions.values()) {
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
  }

  function emit(id: string, sequence: number, change: TaskEvent["change"]): void {
    for (const session of sessions.values()) {
      if (!session.tasks.has(id)) continue;
      const waiting = session.events.filter((event) => event.id === id).at(-1);
      if (waiting && waiting.change.type === "progress" && change.type === "progress") {
        session.events.splice(session.events.indexOf(waiting), 1);
      }
      if (change.type !== "progress") {
        // Only the newest place is sent, and none once the task no longer waits.
        session.events = session.events.filter(
          (event) => event.id !== id || event.change.type !== "queue",
        );
      }
      session.events.push({ id, sequence, change });
    }
    touch(id, change.type === "progress");
  }

  /** Returns what is due of all lists, one entry for each task in each of them. */
  function dueEntries(session: FakeSession): ListEntry[] {
    return [...session.lists].flatMap(([watch, list]) => {
      const due = isDue(list.pace);
      const entries: ListEntry[] = [...list.removed].map((id) => ({
        watch,
        change: { removed: [id] },
        told: () => list.removed.delete(id),
      }));
      for (const id of list.changed) {
        const { snapshot } = taskOf(id);
        // Only ends don't wait for the pace.
        if (!due && snapshot.endedAt === null) continue;
        const told = () => list.changed.delete(id) && list.progressed.delete(id);
        entries.push({ watch, change: { changed: [snapshot] }, told });
      }
      for (const id of list.progressed) {
        if (!due || list.changed.has(id)) continue;
        const { sequence, progress } = taskOf(id).snapshot;
        const told = () => list.progressed.delete(id);
        entries.push({ watch, change: { progressed: [{ id, sequence, progress }] }, told });
      }
      return entries;
    });
  }

  /** Packs the next message of a session, up to the limit. Events and lists can each use at least half of it. */
  function pack(session: FakeSession): SessionMessage | undefined {
    const entries = dueEntries(session);
    const due = session.events.filter((event) => !waits(session, event));
    if (due.length + entries.length + session.removed.size === 0) return undefined;
    let room = MESSAGE_LIMIT;
    let isEmpty = true;
    const takes = (part: unknown, reserved: number) => {
      const size = JSON.stringify(JSON.stringify(part)).length;
      if (!isEmpty && size + reserved > room) return false;
      isEmpty = false;
      room -= size;
      return true;
    };
    const takeAll = <T>(from: readonly T[], part: (one: T) => unknown, reserved = 0) => {
      const end = from.findIndex((one) => !takes(part(one), reserved));
      return end < 0 ? [...from] : from.slice(0, end);
    };
    const removed = takeAll([...session.removed], (id) => id);
    for (const id of removed) session.removed.delete(id);
    const events = takeAll(due, (event) => event, entries.length > 0 ? MESSAGE_LIMIT / 2 : 0);
    const told = takeAll(entries, ({ change }) => change);
    if (told.length === entries.length) {
      events.push(...takeAll(due.slice(events.length), (event) => event));
    }
    const lists = new Map<number, ListChange>();
    for (const entry of told) {
      const { watch, change } = entry;
      const before = lists.get(watch) ?? { watch, changed: [], progressed: [], removed: [] };
      lists.set(watch, {
        watch,
        changed: [...before.changed, ...(change.changed ?? [])],
        progressed: [...before.progressed, ...(change.progressed ?? [])],
        removed: [...before.removed, ...(change.removed ?? [])],
      });
      entry.told();
    }
    const left = new Set(entries.slice(told.length).map(({ watch }) => watch));
    for (const watch of lists.keys()) {
      const pace = session.lists.get(watch)?.pace;
      // The rest of a round comes in the next message, whatever the pace.
      if (pace && isDue(pace) && !left.has(watch)) pace.toldAt = performance.now();
    }
    for (const { id, change } of events) {
      const pace = session.tasks.get(id);
      if (pace && change.type === "progress" && isDue(pace)) pace.toldAt = performance.now();
      if (change.type === "status" && change.data.endedAt !== null) session.tasks.delete(id);
    }
    session.events = session.events.filter((event) => !events.includes(event));
    session.last += 1;
    const isLess = events.length < due.length || told.length < entries.length;
    return throughJson({
      message: session.last,
      events,
      lists: [...lists.values()],
      ...(removed.length > 0 && { removed }),
      more: isLess || session.removed.size > 0,
    });
  }

  /** Whether progress waits for its pace: not if the end of the task comes next. */
  function waits({ tasks: paces, events }: FakeSession, { id, change }: TaskEvent): boolean {
    const pace = paces.get(id);
    if (change.type !== "progress" || !pace || isDue(pace)) return false;
    return !events.some(
      (other) =>
        other.id === id && other.change.type === "status" && other.change.data.endedAt !== null,
    );
  }

  function send(session: FakeSession): SessionMessage | null {
    const message = pack(session);
    if (!message) return null;
    sent.push(message);
    session.open = message;
    clearTimeout(session.lease);
    session.lease = setTimeout(() => dropSession(session), leaseMs);
    return message;
  }

  function runCallback(session: FakeSession, message: SessionMessage): void {
    const internals = (window as unknown as { __TAURI_INTERNALS__: TauriInternals })
      .__TAURI_INTERNALS__;
    const payload = channelPayload(JSON.stringify(JSON.stringify(message)));
    internals.runCallback(session.channel.id, { message: payload, index: session.index });
    session.index += 1;
  }

  /** Sends the places in the queues that have changed. */
  function requeue(): void {
    for (const [id, queue] of places([...tasks.values()])) {
      const task = taskOf(id);
      if (JSON.stringify(task.snapshot.queue) === JSON.stringify(queue)) continue;
      task.snapshot = { ...task.snapshot, queue };
      emit(id, task.snapshot.sequence, { type: "queue", data: queue });
    }
  }

  function setHeld(id: string, held: boolean): null {
    const task = taskOf(id, sees);
    const { status } = task.snapshot;
    if (ENDED.includes(status)) throw wireError("alreadyEnded", "It has ended.", { status });
    if (status !== "queued") throw wireError("notPausable", "It doesn't wait.", { status });
    task.held = held;
    requeue();
    return null;
  }

  function setPriority(id: string, priority: number): null {
    const task = taskOf(id, sees);
    const { status } = task.snapshot;
    if (status !== "queued") throw wireError("notQueued", "It doesn't wait.", { status });
    task.priority = priority;
    requeue();
    return null;
  }

  function make(
    id: string,
    task: string,
    input: unknown,
    owner: string | null,
    options: StartOptions = {},
    more: Partial<TaskSnapshot> = {},
  ): FakeTask {
    const { priority = 0, held = false, key = null, label = null, tags = [], delayMs } = options;
    arrivals += 1;
    const made: FakeTask = {
      options,
      priority,
      held,
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
        input: null,
        error: null,
        key,
        label,
        tags,
        parent: null,
        waitsFor: [],
        members: null,
        ...more,
      },
      input: JSON.stringify(input),
      isMine: owner === PAGE,
      isHidden: false,
      shares: new Set(),
      isNeeded: false,
      outcome: null,
      items: createFakeItems(),
    };
    tasks.set(id, made);
    requeue();
    touch(id);
    return made;
  }

  /**
   * Does what `start` and `rerun` have in common. If the call is a repeat, the id is known already. A joined task keeps
   * its own id.
   */
  function launch(
    session: FakeSession,
    id: string,
    task: string,
    input: unknown,
    options: StartOptions,
  ): TaskSnapshot {
    const known = tasks.get(id);
    if (gone.has(id)) throw wireError("invalidId");
    if (known) {
      const same = known.snapshot.task === task && known.input === JSON.stringify(input);
      if (!same) throw wireError("invalidId");
      return follow(session, known);
    }
    const joined = tasks.get(shares.joined(id) ?? "");
    if (joined && isConcerned(joined)) return follow(session, joined);
    if (shares.joined(id)) throw wireError("invalidId");
    const holder = holderOf(options.key ?? null, task, [...tasks.values()]);
    const { onConflict = "refuse" } = options;
    if (holder && onConflict === "refuse") {
      throw wireError("keyTaken", "The key is taken.", { id: holder.snapshot.id });
    }
    if (holder && onConflict === "join") {
      share(id, holder.snapshot.id);
      return follow(session, holder);
    }
    if (holder && onConflict === "replace") tell(holder, "replaced");
    const made = make(id, task, input, PAGE, options);
    made.shares.add(id);
    const outcome = ends.shift();
    if (outcome) plugin.end(id, outcome);
    return follow(session, made);
  }

  /** Gives a call a share in a task that it has joined. */
  function share(call: string, id: string): void {
    const task = taskOf(id);
    const wasTold = isTold(task);
    shares.join(call, id);
    if (!wasTold) touch(id);
  }

  /** Makes all sessions follow a task no longer, and tells them so, as after a `leave` from elsewhere. */
  function loseFollows(id: string): void {
    for (const session of sessions.values()) {
      if (unfollow(session, id)) session.removed.add(id);
    }
  }

  /** Makes a session follow a task no longer. Returns whether it did. */
  function unfollow(session: FakeSession, id: string): boolean {
    session.events = session.events.filter((event) => event.id !== id);
    session.removed.delete(id);
    return session.tasks.delete(id);
  }

  /** Asks a task to stop and, if it is a batch, its members, too. Returns whether the task had not ended. */
  function tell({ snapshot: { id, status } }: FakeTask, cancelReason: CancelReason): boolean {
    if (ENDED.includes(status)) return false;
    if (status !== "cancelling") {
      plugin.status(id, "cancelling", { cancelReason });
      for (const member of membersOf(id)) tell(member, "parent");
    }
    return true;
  }

  function membersOf(id: string): FakeTask[] {
    return [...tasks.values()].filter(({ snapshot }) => snapshot.parent === id);
  }

  /** Ends a batch if all its members have ended. */
  function endBatch(id: string): void {
    const outcomes = membersOf(id).map((member) => member.outcome);
    if (outcomes.includes(null)) return;
    const { cancelReason } = taskOf(id).snapshot;
    if (cancelReason) plugin.end(id, { status: "cancelled", data: { reason: cancelReason } });
    else plugin.complete(id, outcomes);
  }

  /** Returns the id for a task that the page doesn't start. */
  function newId(): string {
    made += 1;
    return `00000000-0000-7000-8000-${String(made).padStart(12, "0")}`;
  }

  /** Follows a task. If the session follows it already, its pending events are still sent: the answer may get lost. */
  function follow(session: FakeSession, { snapshot }: FakeTask, everyMs?: number): TaskSnapshot {
    session.removed.delete(snapshot.id);
    const known = session.tasks.get(snapshot.id);
    if (known) {
      known.everyMs = everyMs ?? known.everyMs;
    } else if (snapshot.endedAt === null) {
      session.tasks.set(snapshot.id, { everyMs: everyMs ?? 0, toldAt: performance.now() });
    }
    return snapshot;
  }

  /** Returns the answer to a start, with the outcome if there is one and it is small. */
  function started(snapshot: TaskSnapshot): Started {
    const { outcome } = taskOf(snapshot.id);
    return { snapshot, outcome: outcome && isSmall(outcome) ? outcome : null };
  }

  function isSmall(outcome: Outcome): boolean {
    return JSON.stringify(outcome).length <= INLINE_LIMIT;
  }

  /** Blocks the next call of a command at one point. Returns a function that lets it go on. */
  function block(at: Map<string, Promise<void>[]>, name: string): () => void {
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    at.set(name, [...(at.get(name) ?? []), blocked]);
    return release;
  }

  function throughTauri(value: unknown): unknown {
    if (!(value instanceof ArrayBuffer)) return throughJson(value);
    return rawBytes ? value : [...new Uint8Array(value)];
  }

  function onlySession(): FakeSession {
    const [session] = sessions.values();
    if (!session) throw new Error("There is no session.");
    return session;
  }

  const schedules = createFakeSchedules({
    start: (id, task, tags) => {
      make(id, task, null, null, { tags }).isNeeded = true;
    },
    check: shares.check,
    share,
    get: (id) => tasks.get(id)?.snapshot,
    refuse: (name) => wireError("unknownSchedule", `There is no schedule "${name}" here.`),
  });

  const handlers: Record<string, (args: Args) => unknown> = {
    ...schedules.handlers,
    open(args) {
      if (args["protocol"] !== 5) {
        throw wireError("protocolMismatch", `page: ${args["protocol"]}, plugin: 5`);
      }
      const nonce = String(args["session"]);
      if (!sessions.has(nonce)) {
        checkBound("sessions", sessions.size);
        sessions.set(nonce, {
          nonce,
          channel: args["channel"] as Channel<string>,
          index: 0,
          last: 0,
          open: undefined,
          events: [],
          tasks: new Map(),
          removed: new Set(),
          lists: new Map(),
          lease: undefined,
        });
      }
      return { protocol: 5, leaseMs };
    },
    ack(args) {
      const session = sessionOf(args);
      if (!session.open) return null;
      if (session.open.message !== args["message"]) return null;
      const { more } = session.open;
      session.open = undefined;
      clearTimeout(session.lease);
      const next = more ? send(session) : null;
      return next && JSON.stringify(next);
    },
    start(args) {
      const session = sessionOf(args);
      const options = args["options"] as StartOptions;
      return started(
        launch(session, String(args["id"]), String(args["task"]), args["input"], options),
      );
    },
    rerun(args) {
      const session = sessionOf(args);
      const { snapshot, input, options } = taskOf(args["id"], sees);
      if (!ENDED.includes(snapshot.status)) throw wireError("notEnded");
      if (snapshot.status === "completed") throw wireError("notRerunnable");
      return started(
        launch(session, String(args["newId"]), snapshot.task, JSON.parse(input), {
          ...options,
          held: false,
        }),
      );
    },
    batch(args) {
      const session = sessionOf(args);
      const [id, task] = [String(args["id"]), String(args["task"])];
      const known = tasks.get(id);
      if (gone.has(id)) throw wireError("invalidId");
      if (known) return started(follow(session, known));
      const inputs = args["inputs"] as unknown[];
      const { priority = 0, label = null, tags = [] } = args["options"] as BatchOptions;
      const members = inputs.length;
      const batch = make(id, task, null, PAGE, { label, tags }, { members });
      batch.shares.add(id);
      plugin.status(id, "running");
      for (const input of inputs) {
        make(newId(), task, input, PAGE, { priority, tags }, { parent: id });
      }
      if (members === 0) endBatch(id);
      return started(follow(session, batch));
    },
    watch(args) {
      const session = sessionOf(args);
      const target = args["target"] as WatchTarget;
      if (target.type === "task") {
        const { id } = target.data;
        const task = taskOf(id, isTold);
        if (!session.tasks.has(id)) checkBound("follows", session.tasks.size);
        return [follow(session, task, newPace(args, session.tasks.get(id)).everyMs)];
      }
      const { filter, watch } = target.data;
      checkFilter(filter);
      if (!session.lists.has(watch)) {
        checkBound(
          "lists",
          [...sessions.values()].reduce((sum, one) => sum + one.lists.size, 0),
        );
      }
      const listed = found(filter);
      session.lists.set(watch, {
        pace: newPace(args, session.lists.get(watch)?.pace),
        filter,
        ids: new Set(listed.map((snapshot) => snapshot.id)),
        changed: new Set(),
        progressed: new Set(),
        removed: new Set(),
      });
      return listed;
    },
    unwatch(args) {
      const session = sessionOf(args);
      const target = args["target"] as WatchTarget;
      if (target.type === "list") {
        session.lists.delete(target.data.watch);
        return null;
      }
      unfollow(session, target.data.id);
      return null;
    },
    get: (args) => taskOf(args["id"], isTold).snapshot,
    list(args) {
      checkFilter(args["filter"] as TaskFilter);
      const after = Number(args["after"] ?? 0);
      const limit = Number(args["limit"] ?? listLimit);
      const rest = found(args["filter"] as TaskFilter).filter(({ order }) => order > after);
      const page = rest.slice(0, limit);
      return { tasks: page, next: rest.length > limit ? (page.at(-1)?.order ?? null) : null };
    },
    leave(args) {
      const [id, task] = shares.leave(String(args["id"])) ?? [];
      if (id === undefined || !task) return null;
      if (task.shares.size === 0 && !task.isNeeded) tell(task, "signal");
      // Whatever its permissions are: the page asks again for what it may still see.
      if (!isConcerned(task)) loseFollows(id);
      if (!isTold(task)) touch(id);
      return null;
    },
    cancel(args) {
      const task = taskOf(args["id"], sees);
      const { status } = task.snapshot;
      const reason = reasonOfCaller(args["reason"]);
      if (ENDED.includes(status)) throw wireError("alreadyEnded", "It has ended.", { status });
      tell(task, reason);
      return null;
    },
    cancel_all(args) {
      const filter = args["filter"] as TaskFilter;
      checkFilter(filter);
      const reason = reasonOfCaller(args["reason"]);
      return found(filter, sees).filter(({ id }) => tell(taskOf(id), reason)).length;
    },
    pause: (args) => setHeld(String(args["id"]), true),
    resume: (args) => setHeld(String(args["id"]), false),
    set_priority: (args) => setPriority(String(args["id"]), Number(args["priority"])),
    counts: () =>
      [...new Set([...tasks.values()].map(({ snapshot }) => snapshot.task))].map(
        (task): TaskCounts => {
          const of = (status: TaskStatus) =>
            found({ task: [task], status: [status] }, () => true).filter(
              (one) => one.members === null,
            ).length;
          return {
            task,
            limit: limits.get(JSON.stringify({ type: "task", name: task })) ?? null,
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
        },
      ),
    set_limit(args) {
      limits.set(JSON.stringify(args["of"]), args["limit"] as number | null);
      return null;
    },
    async read(args) {
      const session = sessionOf(args);
      const [id, waitMs] = [String(args["id"]), Number(args["waitMs"])];
      const ask = {
        reader: String(args["reader"]),
        chunk: Number(args["chunk"]),
        from: args["from"] as number | null,
      };
      const look = () => {
        // A reader that is there reads on.
        const { items } = taskOrExpired(id, (one) => sees(one) || one.items.reader === ask.reader);
        if (items.reader !== ask.reader) {
          checkBound("readers", [...tasks.values()].filter((task) => task.items.reader).length);
        }
        return items.ask(session.nonce, ask, chunkLimit);
      };
      const room = waiting.get(session.nonce) ?? new Set();
      waiting.set(session.nonce, room);
      if (waitMs === 0) for (const giveUp of [...room]) giveUp();
      const there = look();
      const over = calling.take();
      if (there !== undefined || waitMs === 0) {
        over();
        return there ?? null;
      }
      const { items } = taskOf(id);
      return new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          over();
          clearTimeout(timer);
          room.delete(giveUp);
          off();
          finish();
        };
        const giveUp = () => settle(() => resolve(null));
        const timer = setTimeout(giveUp, Math.min(waitMs, READ_WAIT_MS));
        const off = items.wait(() => {
          try {
            const found = look();
            if (found !== undefined) settle(() => resolve(found));
          } catch (error) {
            settle(() => reject(error));
          }
        });
        room.add(giveUp);
      });
    },
    cancel_read(args) {
      sessionOf(args);
      const reader = String(args["reader"]);
      const { items } = taskOf(args["id"], (one) => sees(one) || one.items.reader === reader);
      items.stop(reader, Number(args["position"]));
      return null;
    },
    remove(args) {
      const { snapshot } = taskOf(args["id"], sees);
      if (!ENDED.includes(snapshot.status)) throw wireError("notEnded");
      plugin.evict(snapshot.id);
      return null;
    },
    async outcome(args) {
      const id = String(args["id"]);
      const task = taskOrExpired(id, isTold);
      if (task.outcome) return task.outcome;
      const over = calling.take();
      await new Promise<void>((resolve) => {
        setTimeout(resolve, OUTCOME_WAIT_MS);
        const waiters = outcomeWaiters.get(id) ?? new Set();
        outcomeWaiters.set(id, waiters.add(resolve));
      });
      over();
      return task.outcome;
    },
  };

  const plugin = {
    tasks,
    sessions,
    /** All messages so far. */
    sent: sent as readonly SessionMessage[],

    /** Answers the page's calls in place of Tauri. */
    install(): void {
      mockIPC(async (command, payload) => {
        const name = command.replace("plugin:tasks|", "");
        const args = (payload ?? {}) as Args;
        calls.push({ command, args });
        const nonce = String(args["session"]);
        const given = answers.get(name)?.shift();
        if (given !== undefined) return given;
        const refusal = refusals.get(name)?.shift();
        if (refusal !== undefined) throw refusal;
        const handler = handlers[name];
        if (!handler) throw `Command ${name} not found`;
        const stall = stalls.get(name)?.shift();
        if (stall) await stall;
        const isLost = (losses.get(name) ?? 0) > 0;
        if (isLost) losses.set(name, (losses.get(name) ?? 0) - 1);
        const done = name === "read" ? calling.countRead(args) : () => {};
        let answer: () => unknown;
        try {
          const value = throughTauri(await handler(args));
          answer = () => value;
        } catch (error) {
          answer = () => {
            throw error;
          };
        }
        await gates.get(name)?.shift();
        const delay = delays.get(name);
        if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
        done();
        if (unloaded.has(nonce)) return new Promise(() => {});
        if (isLost) throw "the answer was lost";
        return answer();
      });
    },

    uninstall(): void {
      for (const session of sessions.values()) clearTimeout(session.lease);
      clearMocks();
    },

    /** Returns the arguments of each call of a command so far. */
    calls: (name: string): Args[] =>
      calls.filter((call) => call.command === `plugin:tasks|${name}`).map((call) => call.args),

    /** Returns the names of all commands called so far. */
    commands: (): string[] => calls.map((call) => call.command.replace("plugin:tasks|", "")),

    /** Carries out the next call of a command, but answers it only when the returned function is called. */
    hold: (name: string): (() => void) => block(gates, name),

    /** Carries out the next call of a command only when the returned function is called. */
    stall: (name: string): (() => void) => block(stalls, name),

    /** Carries out every call of a command, but answers each `ms` milliseconds later. */
    delay(name: string, ms: number): void {
      delays.set(name, ms);
    },

    /** Rejects the next `times` calls of a command without carrying them out. */
    refuse(name: string, rejection: unknown, times = 1): void {
      refusals.set(name, [...(refusals.get(name) ?? []), ...Array(times).fill(rejection)]);
    },

    /** Answers the next call of a command with `answer` without carrying it out. */
    answer(name: string, answer: unknown): void {
      answers.set(name, [...(answers.get(name) ?? []), answer]);
    },

    /** Carries out the next call of a command, but rejects it as Tauri does when an answer is lost. */
    loseAnswer(name: string): void {
      losses.set(name, (losses.get(name) ?? 0) + 1);
    },

    /** Makes a task emit items. */
    emit(id: string, ...items: unknown[]): void {
      taskOf(id).items.emit(throughJson(items), false, attemptOf(id));
    },

    emitBytes(id: string, ...bytes: number[]): void {
      taskOf(id).items.emit(bytes, true, attemptOf(id));
    },

    /** Sets how many items, or bytes, one chunk may hold. */
    limitChunks(limit: number): void {
      chunkLimit = limit;
    },

    /** Sets how many tasks a page of a list has if the client doesn't say. */
    limitLists(limit: number): void {
      listLimit = limit;
    },

    /** Sends bytes as numbers, as Tauri does without the custom protocol. */
    sendBytesAsNumbers(): void {
      rawBytes = false;
    },

    reads: calling.reads,

    /** Sets how long the plugin waits for an acknowledgement. */
    lease(ms: number): void {
      leaseMs = ms;
    },

    /** From now on, carries out and answers every call at once: ends all that `refuse`, `hold`, `stall` and `loseAnswer` began. */
    calm(): void {
      refusals.clear();
      gates.clear();
      stalls.clear();
      delays.clear();
      losses.clear();
    },

    /** Drops all sessions without telling the page. */
    dropSessions(): void {
      for (const session of [...sessions.values()]) dropSession(session);
    },

    /** Drops the page and its sessions. Its pending calls are never answered. */
    unloadPage(): void {
      for (const { args } of calls) unloaded.add(String(args["session"]));
      plugin.dropSessions();
    },

    /** Starts a task that the page has not asked for. */
    begin(task: string, owner: string | null = null, options: StartOptions = {}): string {
      const id = newId();
      make(id, task, null, owner, options).isNeeded = true;
      return id;
    },

    /**
     * From now on, no permission of the page covers a task of another owner but the one to start: it may be told of the task only
     * while one of its calls has a share in it.
     */
    hide(id: string): void {
      taskOf(id).isHidden = true;
      touch(id);
    },

    loseFollows,

    /** Somebody else joins a task. */
    joinElsewhere(id: string): void {
      taskOf(id).isNeeded = true;
    },

    /** Adds a schedule to the app. */
    addSchedule(name: string, task: string, more: Partial<ScheduleSnapshot> = {}): void {
      schedules.add(name, task, more);
    },

    /** Returns the ids of a batch's members, in the order of the inputs. */
    members: (id: string): string[] => membersOf(id).map(({ snapshot }) => snapshot.id),

    /** Ends a task's delay. */
    due(id: string): void {
      const task = taskOf(id);
      task.snapshot = { ...task.snapshot, nextAttemptAt: null };
      requeue();
    },

    status(id: string, status: TaskStatus, more: Partial<StatusChange> = {}): void {
      const task = taskOf(id);
      const before = task.snapshot;
      const at = Date.now();
      const sequence = before.sequence + 1;
      const change: StatusChange = {
        status,
        at,
        attempt: before.attempt,
        cancelReason: before.cancelReason,
        timeLimit: before.timeLimit,
        overdue: before.overdue,
        nextAttemptAt: null,
        endedAt: ENDED.includes(status) ? at : null,
        outcome: null,
        error: null,
        ...more,
      };
      const { outcome: _, at: __, ...shown } = change;
      task.snapshot = {
        ...before,
        ...shown,
        sequence,
        queue: null,
        waitsFor: change.endedAt === null ? before.waitsFor : [],
        startedAt: before.startedAt ?? (status === "running" ? at : null),
      };
      emit(id, sequence, { type: "status", data: change });
      if (before.attempt > 0 && change.attempt > before.attempt)
        plugin.progress(id, emptyProgress());
      requeue();
      if (change.endedAt === null) return;
      for (const wake of outcomeWaiters.get(id) ?? []) wake();
      outcomeWaiters.delete(id);
      if (before.parent) endBatch(before.parent);
    },

    waitsFor(id: string, waitsFor: string[]): void {
      const task = taskOf(id);
      task.snapshot = { ...task.snapshot, waitsFor };
      emit(id, task.snapshot.sequence, { type: "waitsFor", data: waitsFor });
    },

    progress(id: string, more: Partial<Progress>): void {
      const task = taskOf(id);
      const progress = { ...task.snapshot.progress, ...more };
      task.snapshot = { ...task.snapshot, progress };
      emit(id, task.snapshot.sequence, { type: "progress", data: progress });
    },

    end(id: string, outcome: Outcome): void {
      taskOf(id).outcome = outcome;
      taskOf(id).items.end();
      const inlined = isSmall(outcome) ? outcome : null;
      plugin.status(id, outcome.status, {
        outcome: inlined,
        timeLimit: outcome.status === "timedOut" ? outcome.data.limit : null,
      });
    },

    /** Makes the next task that is started end before its start is answered. */
    endNext(outcome: Outcome): void {
      ends.push(outcome);
    },

    complete(id: string, output: unknown): void {
      plugin.end(id, { status: "completed", data: { output } });
    },

    /** Forgets a task. */
    evict(id: string): void {
      const task = tasks.get(id);
      tasks.delete(id);
      gone.set(id, task !== undefined && sees(task));
      task?.items.wake();
      touch(id);
      requeue();
    },

    /** Runs one frame: sends the pending changes to each session that has acknowledged its last message. */
    async frame(): Promise<void> {
      // A message comes in a turn of its own: what the page has put off to the end of this turn comes first.
      await Promise.resolve();
      for (const session of sessions.values()) {
        if (session.open) continue;
        const message = send(session);
        if (message) runCallback(session, message);
      }
      await settle();
    },

    /** Sends a message without news, as the plugin does to find out whether a page that has been silent is still there. */
    async probe(session = onlySession()): Promise<void> {
      session.last += 1;
      session.open = { message: session.last, events: [], lists: [], more: false };
      await plugin.push(session.open, session);
    },

    /** Sends a message as it is on the channel of a session, by default the only session. */
    async push(message: SessionMessage, session = onlySession()): Promise<void> {
      // As above.
      await Promise.resolve();
      runCallback(session, throughJson(message));
      await settle();
    },

    session: onlySession,
  };
  return plugin;
}

export type FakePlugin = ReturnType<typeof createFakePlugin>;

interface TauriInternals {
  runCallback(id: number, data: unknown): void;
}

/** Runs everything that is due now, without letting time pass. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** The kinds of task in the tests. */
export type TestTasks = {
  download: {
    input: { url: string };
    detail: { file: string };
    item: never;
    output: string;
    error: { code: number };
  };
  tick: { input: null; detail: null; item: never; output: number; error: string };
  /** Emits items. */
  tail: { input: null; detail: null; item: string | number; output: number; error: string };
  /** Emits bytes. */
  cat: { input: null; detail: null; item: Uint8Array; output: number; error: string };
};

/** Loads a page that talks to a fake plugin. */
export async function loadPage() {
  vi.useFakeTimers();
  const plugin = createFakePlugin();
  plugin.install();
  vi.resetModules();
  const api = await import("../index.js");
  const { page, PAGE_KEY } = await import("../client/shared-page.js");
  /** The page that is loaded next has another `globalThis`. */
  const leave = () => Reflect.deleteProperty(globalThis, PAGE_KEY);
  return {
    api,
    plugin,
    page,
    tasks: api.createTasks<TestTasks>(),
    /** Reloads the page, and returns a client of the new page. */
    async reload() {
      plugin.unloadPage();
      leave();
      vi.resetModules();
      const { createTasks } = await import("../index.js");
      return createTasks<TestTasks>();
    },
    /** Loads another copy of the package in the same page, with a page object and so a session of its own. */
    async loadApart() {
      leave();
      vi.resetModules();
      const { createTasks } = await import("../index.js");
      const { page: apart } = await import("../client/shared-page.js");
      return {
        tasks: createTasks<TestTasks>(),
        kept: () => apart.tasks.size + apart.lists.size + apart.session.size,
      };
    },
    /** Returns how many entries the page keeps for the tasks and lists that it follows. */
    kept: () => page.tasks.size + page.lists.size + page.session.size,
    unload() {
      leave();
      plugin.uninstall();
      vi.useRealTimers();
    },
  };
}

export type LoadedPage = Awaited<ReturnType<typeof loadPage>>;

/** Returns how a promise has settled, or `pending` if it has not. */
export async function stateOf(
  promise: Promise<unknown>,
): Promise<{ pending: true } | { value: unknown } | { reason: unknown }> {
  let state: { pending: true } | { value: unknown } | { reason: unknown } = { pending: true };
  promise.then(
    (value) => {
      state = { value };
    },
    (reason: unknown) => {
      state = { reason };
    },
  );
  await settle();
  return state;
}
