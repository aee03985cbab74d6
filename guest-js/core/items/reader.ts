import { v7 as uuid } from "uuid";
import { toTaskError } from "../errors/from-rejection.js";
import type { TaskError } from "../errors/task-error.js";
import { commands } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { type ItemBatch, startingAt, toBatch } from "./item-batch.js";
import type { Polls } from "./polls.js";
import { untilReached } from "./until-reached.js";

/** How many batches may be on their way, waiting or being consumed. */
const WINDOW = 4;
/** How often in a row a reader may be lost without an answer, each time within `SOON_MS`, before that is an error. */
const ATTEMPTS = 3;
const SOON_MS = 1_000;

/** What a reader needs of the page. */
export interface Connection {
  readonly session: Session;
  readonly polls: Polls;
}

/** Reads a task's items, under a new name each time the plugin has dropped the session. */
export interface Reader {
  /**
   * The next batch; taking it marks the previous one as consumed. `undefined` after the last batch, or after `close`. Rejects
   * with a TaskError. Must not be called again before it has settled.
   */
  take(): Promise<ItemBatch | undefined>;
  /** Stops reading: what precedes item number `position` was consumed, the rest stays for another reader. Never rejects. */
  close(position: number): Promise<void>;
}

/** What the plugin knows the reader by: a name within one session, with a count of batches of its own. */
interface Attachment {
  readonly name: string;
  /** The number of the first item to read; `null` for the oldest one. */
  readonly from: number | null;
  /** The session; `undefined` until it is known. */
  nonce: string | undefined;
  /** When the attachment was made. */
  readonly since: number;
  /** The number of the last batch that was asked for. */
  asked: number;
  /** The number of the last batch that has come together with all before it. */
  came: number;
  /** How many batches were consumed completely. */
  consumed: number;
  /** Batches that came before one of a lower number. */
  readonly early: Map<number, ItemBatch>;
}

/** `from` is the number of the first item to read, `null` for the oldest unread one. */
export function createReader(
  { session, polls }: Connection,
  id: string,
  from: number | null,
): Reader {
  const seat = polls.join();
  let attachment = attach(from);
  /** Batches that came in order and wait to be taken. */
  let line: ItemBatch[] = [];
  /** The number of the item after the last one that came. */
  let next = from;
  /** The batch that is being consumed. */
  let current: { readonly batch: ItemBatch; readonly by: Attachment } | undefined;
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

  /** Asks for as many batches as the window has room for. */
  function fill(): void {
    while (!over() && attachment.asked - attachment.consumed < WINDOW) {
      attachment.asked += 1;
      void ask(attachment, attachment.asked);
    }
  }

  function over(): boolean {
    return closed || done || failure !== undefined;
  }

  async function ask(by: Attachment, batch: number): Promise<void> {
    const wanted = () => by === attachment && !over();
    try {
      const answer = await seat.read(
        batch,
        (waitMs) => untilReached(() => read(by, batch, waitMs, wanted)),
        wanted,
      );
      if (answer && wanted()) receive(by, batch, answer);
    } catch (rejection) {
      if (wanted()) refused(toTaskError(rejection));
    }
  }

  async function read(
    by: Attachment,
    batch: number,
    waitMs: number,
    wanted: () => boolean,
  ): Promise<ItemBatch | undefined> {
    const nonce = by.nonce ?? (await session.open());
    if (!wanted()) return undefined;
    by.nonce = nonce;
    const answer = await session.callIn(nonce, () =>
      commands.read(nonce, id, by.name, batch, by.from, waitMs),
    );
    if (by === attachment) lost = 0;
    return toBatch(answer);
  }

  function receive(by: Attachment, number: number, batch: ItemBatch): void {
    by.early.set(number, batch);
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
   * Attaches anew and asks again for everything that was not consumed completely. What an attachment doesn't ask for counts as
   * read, and the page may go while the user is in the middle of a batch. No item of that batch is handed out twice.
   */
  function renew(): void {
    if (current) next = current.batch.end;
    else next = line[0]?.first ?? next;
    attachment = attach(current?.batch.first ?? next);
    line = [];
    fill();
  }

  function refused(error: TaskError): void {
    const isLost = error.kind === "sessionGone" || error.kind === "readerGone";
    // An attachment that lasted for some time did not fail.
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
      const batch = line.shift();
      if (batch) current = { batch, by: attachment };
      else if (failure) throw failure;
      return batch;
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
