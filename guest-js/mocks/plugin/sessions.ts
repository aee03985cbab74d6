/** The part of the plugin that keeps the sessions of the page. */
import type {
  SessionMessage,
  TaskEvent,
  TaskFilter,
  TaskSnapshot,
} from "../../core/ipc/bindings.js";
import type { Args } from "./json.js";
import type { Pace } from "./pace.js";
import { checkBound, sessionGone, wireError } from "./refusals.js";
import type { Table } from "./table.js";

/** The only protocol that this plugin speaks. */
const PROTOCOL = 5;

/** What is still to be told of one watched list. */
export interface WatchedList {
  pace: Pace;
  filter: TaskFilter;
  ids: Set<string>;
  changed: Set<string>;
  /** The tasks that have changed only in their progress. */
  progressed: Set<string>;
  removed: Set<string>;
}

export interface Session {
  readonly nonce: string;
  /** Sends a payload over the session's channel. */
  readonly channel: Wire;
  /** The number of the last message. */
  last: number;
  /** The last message, until it is acknowledged. */
  open: SessionMessage | undefined;
  /** Whether the page waits for the rest of the last message, as the answer to its acknowledgement. */
  answering: boolean;
  /** When the next message may be sent, by `performance.now`. */
  mayTellAt: number;
  events: TaskEvent[];
  /** The tasks that wait to be told of, in the order of their turns. */
  turns: Set<string>;
  /** The tasks that it follows, each with the pace of its progress. */
  tasks: Map<string, Pace>;
  /** The tasks that it follows no longer since the page may not be told of them, until it is told so. */
  removed: Set<string>;
  lists: Map<number, WatchedList>;
  lease: ReturnType<typeof setTimeout> | undefined;
}

/** The plugin's end of a channel. */
export interface Wire {
  send(json: string): void;
  /** Tells the page that no more comes. */
  close(): void;
}

/** Creates the sessions. `connect` returns the plugin's end of a channel that the page has passed. */
export function createSessions(table: Table, connect: (channel: unknown) => Wire) {
  const all = new Map<string, Session>();
  let leaseMs = 30_000;

  function drop(session: Session): void {
    clearTimeout(session.lease);
    all.delete(session.nonce);
    session.channel.close();
    table.loseReaders(session.nonce);
  }

  /** Makes a session follow a task no longer. Returns whether it did. */
  function unfollow(session: Session, id: string): boolean {
    session.events = session.events.filter((event) => event.id !== id);
    session.removed.delete(id);
    return session.tasks.delete(id);
  }

  return {
    all,
    drop,
    unfollow,

    /** Returns the session that a call names. */
    of(args: Args): Session {
      const session = all.get(String(args["session"]));
      if (!session) throw sessionGone();
      return session;
    },

    /** Sets how long the plugin waits for an acknowledgement. */
    lease(ms: number): void {
      leaseMs = ms;
    },

    /** Waits for the acknowledgement of a message. */
    await(session: Session, message: SessionMessage): void {
      session.open = message;
      clearTimeout(session.lease);
      session.lease = setTimeout(() => drop(session), leaseMs);
    },

    /** Follows a task. If the session follows it already, its pending events are still sent: the answer may get lost. */
    follow(session: Session, snapshot: TaskSnapshot, everyMs?: number): TaskSnapshot {
      session.removed.delete(snapshot.id);
      const known = session.tasks.get(snapshot.id);
      if (known) {
        known.everyMs = everyMs ?? known.everyMs;
      } else if (snapshot.endedAt === null) {
        session.tasks.set(snapshot.id, { everyMs: everyMs ?? 0, toldAt: performance.now() });
      }
      return snapshot;
    },

    /** Makes all sessions follow a task no longer, and tells them so, as after a `leave` from elsewhere. */
    loseFollows(id: string): void {
      for (const session of all.values()) {
        if (unfollow(session, id)) session.removed.add(id);
      }
    },

    handlers: {
      open(args: Args) {
        if (args["protocol"] !== PROTOCOL) {
          throw wireError("protocolMismatch", `page: ${args["protocol"]}, plugin: ${PROTOCOL}`);
        }
        const nonce = String(args["session"]);
        if (!all.has(nonce)) {
          checkBound("sessions", all.size);
          all.set(nonce, {
            nonce,
            channel: connect(args["channel"]),
            last: 0,
            open: undefined,
            answering: false,
            mayTellAt: 0,
            events: [],
            turns: new Set(),
            tasks: new Map(),
            removed: new Set(),
            lists: new Map(),
            lease: undefined,
          });
        }
        return { protocol: PROTOCOL, leaseMs };
      },
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;
