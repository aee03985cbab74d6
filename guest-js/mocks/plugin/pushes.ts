/** The part of the plugin that sends messages to the page, and takes their acknowledgements. */
import type { SessionMessage } from "../../core/ipc/bindings.js";
import { type Args, throughJson } from "./json.js";
import { dueIn, pack } from "./pack.js";
import type { Session, Sessions } from "./sessions.js";
import type { Table } from "./table.js";

/** Creates the pushes. Without `frameMs`, the shortest time between two messages, a message comes only when a test asks for it. */
export function createPushes(table: Table, sessions: Sessions, frameMs?: number) {
  const sent: SessionMessage[] = [];
  /** The acknowledgements that wait for the rest of a message. Calling one answers it. */
  const rests = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is due, by `performance.now`. */
  let dueAt = Number.POSITIVE_INFINITY;

  function next(session: Session): SessionMessage | null {
    const message = pack(session, table);
    if (!message) return null;
    sent.push(message);
    session.mayTellAt = performance.now() + (frameMs ?? 0);
    sessions.await(session, message);
    return message;
  }

  function transmit(session: Session, message: SessionMessage): void {
    session.channel.send(JSON.stringify(JSON.stringify(message)));
  }

  /** Sends what is due to each session that waits for no acknowledgement. Returns whether there was anything. */
  function tellAll(may: (session: Session) => boolean = () => true): boolean {
    let isTold = false;
    for (const session of [...sessions.all.values()]) {
      if (session.open || session.answering || !may(session)) continue;
      const message = next(session);
      if (!message) continue;
      isTold = true;
      transmit(session, message);
    }
    return isTold;
  }

  /** Sends a message as it is on the channel of a session. */
  async function push(message: SessionMessage, session: Session): Promise<void> {
    // A message comes in a turn of its own.
    await Promise.resolve();
    transmit(session, throughJson(message));
  }

  function tick(): void {
    timer = undefined;
    dueAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    tellAll((session) => session.mayTellAt <= now);
    schedule();
  }

  /** Sets the timer for whatever is to be told next. */
  function schedule(): void {
    if (frameMs === undefined) return;
    const now = performance.now();
    // What comes in the same frame is told together.
    if (timer !== undefined && dueAt <= now + frameMs) return;
    const idle = [...sessions.all.values()].filter(({ open, answering }) => !open && !answering);
    const waits = idle.flatMap((session) => {
      const due = dueIn(session, table);
      return due === undefined ? [] : [Math.max(due, session.mayTellAt - now)];
    });
    clearTimeout(timer);
    timer = undefined;
    if (waits.length === 0) return;
    const wait = Math.max(0, Math.min(...waits));
    dueAt = now + wait;
    timer = setTimeout(tick, wait);
  }

  /** Waits until the next message may be sent. */
  async function nextFrame(session: Session): Promise<void> {
    if (frameMs === undefined) return;
    session.answering = true;
    await new Promise<void>((resolve) => {
      const answer = () => {
        clearTimeout(due);
        rests.delete(answer);
        resolve();
      };
      const due = setTimeout(answer, Math.max(0, session.mayTellAt - performance.now()));
      rests.add(answer);
    });
    session.answering = false;
  }

  return {
    sent: sent as readonly SessionMessage[],
    schedule,

    /** Sends at once what waits only for its frame. Returns whether there was anything. */
    flush(): boolean {
      const answered = rests.size > 0;
      for (const answer of [...rests]) answer();
      return tellAll() || answered;
    },

    /** Runs one frame: sends the pending changes to each session that has acknowledged its last message. */
    async frame(): Promise<void> {
      // A message comes in a turn of its own: what the page has put off to the end of this turn comes first.
      await Promise.resolve();
      tellAll();
    },

    /** Sends a message without news, as the plugin does to find out whether a page that has been silent is still there. */
    async probe(session: Session): Promise<void> {
      session.last += 1;
      session.open = { message: session.last, events: [], lists: [], more: false };
      await push(session.open, session);
    },

    push,

    /** Sends nothing any more. */
    stop(): void {
      clearTimeout(timer);
      timer = undefined;
      rests.clear();
    },

    handlers: {
      async ack(args: Args) {
        const session = sessions.of(args);
        const { open } = session;
        if (!open || open.message !== args["message"]) return null;
        const { more } = open;
        session.open = undefined;
        clearTimeout(session.lease);
        if (more) await nextFrame(session);
        const rest = more ? next(session) : null;
        if (!rest) schedule();
        return rest && JSON.stringify(rest);
      },
    },
  };
}

export type Pushes = ReturnType<typeof createPushes>;
