/**
 * The plugin as a page sees it, at protocol 5: it numbers, conflates and packs messages, lets sessions lapse, and refuses what the
 * plugin refuses. All data passes through JSON. It runs no task by itself: see `scripts/`.
 */
import type { ScheduleSnapshot, SessionMessage, StartOptions } from "../../core/ipc/bindings.js";
import { createCalls, type Handlers } from "./calls.js";
import { createControl } from "./control.js";
import { createDisturbances } from "./disturbances.js";
import { throughJson } from "./json.js";
import { createLife, type LifeHooks } from "./life.js";
import { createLists } from "./lists.js";
import { createNews } from "./news.js";
import { createOutcomes } from "./outcomes.js";
import { createPushes } from "./pushes.js";
import { holderOf } from "./queue.js";
import { createReads } from "./reads.js";
import { wireError } from "./refusals.js";
import { createSchedules } from "./schedules.js";
import { createSessions, type Wire } from "./sessions.js";
import { createShares } from "./shares.js";
import { createStarts } from "./starts.js";
import { createTable } from "./table.js";
import { createWaits } from "./waits.js";

export interface PluginOptions {
  /** The label of the page's webview. The page owns what it starts. */
  readonly page: string;
  /** Returns the plugin's end of a channel that the page has passed to a command. */
  readonly connect: (channel: unknown) => Wire;
  /** The kinds that are registered; any, by default. */
  readonly kinds?: ReadonlySet<string>;
  /** The kinds whose snapshots have the input, as `Task::show_input` wants it. */
  readonly shown?: ReadonlySet<string>;
  /** The shortest time between two messages, in milliseconds. Without it, a message comes only when `frame` is called. */
  readonly frameMs?: number;
  /** What runs the tasks. Without it, each step of a task is the test's to make. */
  readonly hooks?: LifeHooks;
}

/** The test makes each step, so each task that is told to stop waits for it. */
const BY_HAND: LifeHooks = { admit: () => [], stop: () => true };

export function createPlugin(options: PluginOptions) {
  const { page, connect, kinds, shown = new Set(), frameMs, hooks = BY_HAND } = options;
  const table = createTable(page, shown);
  const sessions = createSessions(table, connect);
  const pushes = createPushes(table, sessions, frameMs);
  const news = createNews(table, sessions, () => pushes.schedule());
  const waits = createWaits();
  const outcomes = createOutcomes(table, waits);
  const life = createLife(table, news, outcomes, hooks);
  const shares = createShares(table.all);
  const starts = createStarts({ page, kinds, table, sessions, shares, news, life, outcomes });
  const control = createControl({ table, sessions, shares, news, life });
  const lists = createLists(table, sessions, kinds, (name) =>
    control.limit({ type: "task", name }),
  );
  const reads = createReads(table, sessions, waits);
  const schedules = createSchedules({
    start: (id, task, tags) => {
      starts.make({ id, task, input: null, owner: null, options: { tags } }).isNeeded = true;
    },
    check: shares.check,
    share: starts.share,
    get: (id) => table.all.get(id)?.snapshot,
    refuse: (name) =>
      wireError(
        "unknownSchedule",
        `there is no schedule named "${name}" that this page may use: add it by addSchedule of the mock`,
      ),
  });
  const parts = [sessions, pushes, outcomes, starts, control, lists, reads, schedules];
  const handlers: Handlers = Object.assign({}, ...parts.map((part) => part.handlers));
  const disturbances = createDisturbances();
  const calls = createCalls(handlers, disturbances, waits);

  function onlySession() {
    const [session] = sessions.all.values();
    if (!session) throw new Error("There is no session.");
    return session;
  }

  /** Drops all sessions without telling the page. */
  function dropSessions(): void {
    for (const session of [...sessions.all.values()]) sessions.drop(session);
  }

  /** Returns the attempt that emits. Tests may emit without starting the task first. */
  function attemptOf(id: string): number {
    return Math.max(1, table.get(id).snapshot.attempt);
  }

  const { hold, stall, delay, refuse, answer, loseAnswer, calm } = disturbances;
  return {
    tasks: table.all,
    sessions: sessions.all,
    /** All messages so far. */
    sent: pushes.sent,
    flush: pushes.flush,

    ...{ hold, stall, delay, refuse, answer, loseAnswer, calm },
    ...{ call: calls.call, calls: calls.calls, commands: calls.commands },
    sendBytesAsNumbers: calls.sendBytesAsNumbers,
    ...{ limitChunks: reads.limitChunks, limitLists: lists.limitLists, lease: sessions.lease },
    ...{ limit: control.limit, setLimit: control.setLimit },
    reads: waits.reads,
    ...life,
    endNext: starts.endNext,
    loseFollows: sessions.loseFollows,
    dropSessions,
    session: onlySession,
    frame: pushes.frame,
    probe: (session = onlySession()) => pushes.probe(session),
    push: (message: SessionMessage, session = onlySession()) => pushes.push(message, session),

    /** Makes a task emit items. */
    emit(id: string, ...items: unknown[]): void {
      table.get(id).items.emit(throughJson(items), false, attemptOf(id));
    },

    emitBytes(id: string, ...bytes: number[]): void {
      table.get(id).items.emit(bytes, true, attemptOf(id));
    },

    /** Returns the live task of this kind that has the key. */
    holderOf: (key: string, task: string) => holderOf(key, task, [...table.all.values()]),

    /** Drops the page and its sessions. Its pending calls are never answered. */
    unloadPage(): void {
      calls.unload();
      dropSessions();
    },

    /** Starts a task that the page has not asked for. */
    begin(
      task: string,
      owner: string | null = null,
      options: StartOptions = {},
      input: unknown = null,
    ): string {
      const id = table.newId();
      starts.make({ id, task, input, owner, options }).isNeeded = true;
      return id;
    },

    /**
     * From now on, no permission of the page covers a task of another owner but the one to start: it may be told of the task only
     * while one of its calls has a share in it.
     */
    hide(id: string): void {
      table.get(id).isHidden = true;
      news.touch(id);
    },

    /** Somebody else joins a task. */
    joinElsewhere(id: string): void {
      table.get(id).isNeeded = true;
    },

    /** Adds a schedule to the app. */
    addSchedule(name: string, task: string, more: Partial<ScheduleSnapshot> = {}): void {
      schedules.add(name, task, more);
    },

    /** Returns the ids of a batch's members, in the order of the inputs. */
    members: (id: string): string[] => table.membersOf(id).map(({ snapshot }) => snapshot.id),

    /** Ends whatever would go on by itself. */
    stop(): void {
      pushes.stop();
      for (const session of sessions.all.values()) clearTimeout(session.lease);
    },
  };
}

export type Plugin = ReturnType<typeof createPlugin>;
