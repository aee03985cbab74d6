/** The part of the plugin that packs what a session is still to be told into messages. */
import type { ListChange, SessionMessage, TaskEvent } from "../../core/ipc/bindings.js";
import { throughJson } from "./json.js";
import { isDue } from "./pace.js";
import type { Session } from "./sessions.js";
import type { Table } from "./table.js";

/** How large a message may be, in bytes of JSON. */
const MESSAGE_LIMIT = 8_192;

/** The news of one task in one list. */
interface ListEntry {
  readonly watch: number;
  readonly change: Partial<Omit<ListChange, "watch">>;
  /** Called when the entry is in a message. */
  readonly told: () => void;
}

/** Packs the next message of a session, up to the limit. Events and lists can each use at least half of it. */
export function pack(session: Session, table: Table): SessionMessage | undefined {
  const entries = dueEntries(session, table);
  const due = inTurn(session, dueEvents(session));
  if (due.length + entries.length + session.removed.size === 0) return undefined;
  const room = createRoom();
  const removed = room.takeAll([...session.removed], (id) => id);
  for (const id of removed) session.removed.delete(id);
  const events = room.takeAll(due, (event) => event, entries.length > 0 ? MESSAGE_LIMIT / 2 : 0);
  const told = room.takeAll(entries, ({ change }) => change);
  if (told.length === entries.length) {
    events.push(...room.takeAll(due.slice(events.length), (event) => event));
  }
  const lists = joinEntries(told);
  const left = new Set(entries.slice(told.length).map(({ watch }) => watch));
  for (const { watch } of lists) {
    const pace = session.lists.get(watch)?.pace;
    // The rest of a round comes in the next message, whatever the pace.
    if (pace && isDue(pace) && !left.has(watch)) pace.toldAt = performance.now();
  }
  takeEvents(session, events);
  // What had nothing to tell has lost its turn.
  session.turns = new Set(due.slice(events.length).map(({ id }) => id));
  session.last += 1;
  const isLess = events.length < due.length || told.length < entries.length;
  return throughJson({
    message: session.last,
    events,
    lists,
    ...(removed.length > 0 && { removed }),
    more: isLess || session.removed.size > 0,
  });
}

function dueEvents(session: Session): TaskEvent[] {
  return session.events.filter((event) => !waits(session, event));
}

/** Sorts events by the turns of their tasks: what has waited longest comes first, and what had to wait for its pace comes last. */
function inTurn({ turns }: Session, due: readonly TaskEvent[]): TaskEvent[] {
  const tasks = new Set([...turns, ...due.map(({ id }) => id)]);
  const places = new Map([...tasks].map((id, place) => [id, place]));
  return [...due].sort((a, b) => Number(places.get(a.id)) - Number(places.get(b.id)));
}

/** Returns in how many milliseconds a session has something to be told, or `undefined` if there is nothing. */
export function dueIn(session: Session, table: Table): number | undefined {
  if (session.removed.size > 0 || dueEntries(session, table).length > 0) return 0;
  if (dueEvents(session).length > 0) return 0;
  const lists = [...session.lists.values()].filter(
    (list) => list.changed.size + list.progressed.size > 0,
  );
  const events = session.events.flatMap(({ id }) => session.tasks.get(id) ?? []);
  const paces = [...lists.map(({ pace }) => pace), ...events];
  if (paces.length === 0) return undefined;
  const next = Math.min(...paces.map(({ everyMs, toldAt }) => everyMs + toldAt));
  return Math.max(0, next - performance.now());
}

/** The room in one message. */
function createRoom() {
  let room = MESSAGE_LIMIT;
  let isEmpty = true;

  function takes(part: unknown, reserved: number): boolean {
    const size = JSON.stringify(JSON.stringify(part)).length;
    if (!isEmpty && size + reserved > room) return false;
    isEmpty = false;
    room -= size;
    return true;
  }

  return {
    /** Takes the first of these that have room, and leaves `reserved` bytes. */
    takeAll<T>(from: readonly T[], part: (one: T) => unknown, reserved = 0): T[] {
      const end = from.findIndex((one) => !takes(part(one), reserved));
      return end < 0 ? [...from] : from.slice(0, end);
    },
  };
}

/** Returns what is due of all lists, one entry for each task in each of them. */
function dueEntries(session: Session, table: Table): ListEntry[] {
  return [...session.lists].flatMap(([watch, list]) => {
    const due = isDue(list.pace);
    const entries: ListEntry[] = [...list.removed].map((id) => ({
      watch,
      change: { removed: [id] },
      told: () => list.removed.delete(id),
    }));
    for (const id of list.changed) {
      const { snapshot } = table.get(id);
      // Only ends don't wait for the pace.
      if (!due && snapshot.endedAt === null) continue;
      const told = () => list.changed.delete(id) && list.progressed.delete(id);
      entries.push({ watch, change: { changed: [snapshot] }, told });
    }
    for (const id of list.progressed) {
      if (!due || list.changed.has(id)) continue;
      const { sequence, progress } = table.get(id).snapshot;
      const told = () => list.progressed.delete(id);
      entries.push({ watch, change: { progressed: [{ id, sequence, progress }] }, told });
    }
    return entries;
  });
}

/** Joins the entries of each list into one change, and notes that they are told. */
function joinEntries(told: readonly ListEntry[]): ListChange[] {
  const lists = new Map<number, ListChange>();
  for (const { watch, change, told: note } of told) {
    const before = lists.get(watch) ?? { watch, changed: [], progressed: [], removed: [] };
    lists.set(watch, {
      watch,
      changed: [...before.changed, ...(change.changed ?? [])],
      progressed: [...before.progressed, ...(change.progressed ?? [])],
      removed: [...before.removed, ...(change.removed ?? [])],
    });
    note();
  }
  return [...lists.values()];
}

/** Notes that these events are told. A task that has ended is followed no longer. */
function takeEvents(session: Session, events: readonly TaskEvent[]): void {
  for (const { id, change } of events) {
    const pace = session.tasks.get(id);
    if (pace && change.type === "progress" && isDue(pace)) pace.toldAt = performance.now();
    if (isEnd(change)) session.tasks.delete(id);
  }
  session.events = session.events.filter((event) => !events.includes(event));
}

/** Whether progress waits for its pace: not if the end of the task comes next. */
function waits({ tasks: paces, events }: Session, { id, change }: TaskEvent): boolean {
  const pace = paces.get(id);
  if (change.type !== "progress" || !pace || isDue(pace)) return false;
  return !events.some((other) => other.id === id && isEnd(other.change));
}

function isEnd(change: TaskEvent["change"]): boolean {
  return change.type === "status" && change.data.endedAt !== null;
}
