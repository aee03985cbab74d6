import { v7 as uuid } from "uuid";
import { commands } from "../calls/commands.js";
import { toTaskError } from "../errors/from-rejection.js";
import type { TaskError } from "../errors/task-error.js";
import type { Session } from "../session/session.js";
import { type Chunk, startingAt, toChunk } from "./chunk.js";
import type { Polls } from "./polls.js";
import { untilReached } from "./until-reached.js";

/** How many chunks may be requested and not yet consumed. */
const WINDOW = 4;
/** The reader fails when it loses this many attachments in a row, each within `SOON_MS` and before any answer. */
const ATTEMPTS = 3;
const SOON_MS = 1_000;

/** What a reader needs from the page. */
export interface Connection {
  readonly session: Session;
  readonly polls: Polls;
}

/** Reads a task's items. When the plugin drops the session, it continues in a new one under a new name. */
export interface Reader {
  /**
   * Takes the next chunk, which marks the previous one as consumed. Resolves with `undefined` after the last chunk and after `close`.
   * Rejects with a TaskError. Must not be called again before it has settled.
   */
  take(): Promise<Chunk | undefined>;
  /** Stops reading. The items before number `position` count as consumed; the rest stays for another reader. Never rejects. */
  close(position: number): Promise<void>;
}

/** A reader as the plugin knows it: a name within one session, with its own numbering of chunks. */
interface Attachment {
  readonly name: string;
  /** The number of the first item to read; `null` for the oldest unread item. */
  readonly from: number | null;
  /** The nonce of the session; `undefined` until it is known. */
  nonce: string | undefined;
  /** When the attachment was made. */
  readonly since: number;
  /** The number of the last chunk that was requested. */
  asked: number;
  /** All chunks up to this number have come. */
  came: number;
  /** How many chunks have been consumed completely. */
  consumed: number;
  /** Chunks that came too early: a chunk with a lower number is still missing. */
  readonly early: Map<number, Chunk>;
}

/** Creates a reader. `from` is the number of the first item to read, or `null` for the oldest unread item. */
export function createReader(
  { session, polls }: Connection,
  id: string,
  from: number | null,
): Reader {
  const seat = polls.join();
  let attachment = attach(from);
  /** Chunks that are ready to be taken, in order. */
  let line: Chunk[] = [];
  /** One more than the number of the last item that has come. */
  let next = from;
  /** The chunk that is being consumed. */
  let current: { readonly chunk: Chunk; readonly by: Attachment } | undefined;
  let done = false;
  let closed = false;
  let lost = 0;
  let failure: TaskError | undefined;
  let wake = () => {};

  function attach(first: number | null): Attachment {
    const since = performance.now();
    return {
      name: uuid(),
      from: first,
      nonce: undefined,
      since,
      asked: 0,
      came: 0,
      consumed: 0,
      early: new Map(),
    };
  }

  /** Requests as many chunks as the window has room for. */
  function fill(): void {
    while (!over() && attachment.asked - attachment.consumed < WINDOW) {
      attachment.asked += 1;
      void ask(attachment, attachment.asked);
    }
  }

  function over(): boolean {
    return closed || done || failure !== undefined;
  }

  async function ask(by: Attachment, chunk: number): Promise<void> {
    const wanted = () => by === attachment && !over();
    try {
      const answer = await seat.read(
        chunk,
        (waitMs) => untilReached(() => read(by, chunk, waitMs, wanted)),
        wanted,
      );
      if (answer && wanted()) receive(by, chunk, answer);
    } catch (rejection) {
      if (wanted()) refused(toTaskError(rejection));
    }
  }

  async function read(
    by: Attachment,
    chunk: number,
    waitMs: number,
    wanted: () => boolean,
  ): Promise<Chunk | undefined> {
    const nonce = by.nonce ?? (await session.open());
    if (!wanted()) return undefined;
    by.nonce = nonce;
    const answer = await session.callIn(nonce, () =>
      commands.read(nonce, id, by.name, chunk, by.from, waitMs),
    );
    if (by === attachment) lost = 0;
    return toChunk(answer);
  }

  function receive(by: Attachment, number: number, chunk: Chunk): void {
    by.early.set(number, chunk);
    for (;;) {
      const following = by.early.get(by.came + 1);
      if (!following || done) break;
      by.came += 1;
      by.early.delete(by.came);
      const rest = next === null ? following : startingAt(next, following);
      line.push(rest);
      next = rest.end;
      done = rest.done;
    }
    wake();
  }

  /**
   * Attaches under a new name, and requests every chunk again that was not consumed completely. That includes the
   * current chunk: otherwise the plugin would count it as read, although the page may be closed before it has consumed
   * the rest. No item is handed out twice.
   */
  function renew(): void {
    if (current) next = current.chunk.end;
    else next = line[0]?.first ?? next;
    attachment = attach(current?.chunk.first ?? next);
    line = [];
    fill();
  }

  function refused(error: TaskError): void {
    // With data, the plugin has taken the reader for gone because it did not ask. The user has to know that.
    const isLost =
      error.kind === "sessionGone" || (error.kind === "readerGone" && error.data === null);
    // Losing an attachment that lasted for some time starts a new count.
    lost = performance.now() - attachment.since < SOON_MS ? lost + 1 : 1;
    if (isLost && lost < ATTEMPTS) {
      renew();
      return;
    }
    failure = error;
    wake();
  }

  return {
    async take() {
      if (current) current.by.consumed += 1;
      current = undefined;
      fill();
      while (line.length === 0 && !over()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (closed) return undefined;
      const chunk = line.shift();
      if (chunk) current = { chunk, by: attachment };
      else if (failure) throw failure;
      return chunk;
    },

    async close(position) {
      if (closed) return;
      closed = true;
      wake();
      const { nonce, name } = attachment;
      if (nonce === undefined) return;
      await untilReached(() =>
        session.callIn(nonce, () => commands.cancelRead(nonce, id, name, position)),
      ).catch(() => {});
    },
  };
}
