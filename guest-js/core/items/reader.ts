import { v7 as uuid } from "uuid";
import { type TaskError, toTaskError } from "../errors/errors.js";
import { commands } from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { type Batch, toBatch } from "./item-batch.js";
import type { Polls } from "./polls.js";

/** How many batches may be here or on their way, with the one that is being consumed. */
const WINDOW = 4;
/** How often in a row a reader may be lost before it got an answer, and so soon, until that is an error. */
const ATTEMPTS = 3;
const SOON_MS = 1_000;
/** A call that did not reach the plugin is repeated after these times. */
const RETRY_MS = [100, 400, 1_600];

/** One reading of a task's items. It goes on under another name when the plugin has dropped the session. */
export interface Reader {
  /**
   * The next batch; with it the one before counts as consumed. `undefined` when there is no more, or after `close`. Rejects
   * with a TaskError. Not to be called again before it is settled.
   */
  take(): Promise<Batch | undefined>;
  /** Stops: everything before item number `position` was consumed, the rest stays for another reader. Never rejects. */
  close(position: number): Promise<void>;
}

/** What the plugin knows of a reader: of one session, with its own count of batches. */
interface Attachment {
  readonly name: string;
  /** The number of the first item it wants; `null` for the oldest one. */
  readonly from: number | null;
  /** The session, once it is known. */
  nonce: string | undefined;
  /** When it began. */
  readonly since: number;
  /** Number of the last batch that was asked for. */
  asked: number;
  /** Number of the last batch that came with all before it. */
  came: number;
  /** How many batches were wholly consumed. */
  consumed: number;
  /** Batches that came before one with a lower number. */
  readonly early: Map<number, Batch>;
}

/** `from`: the number of the first item to read, `null` for the oldest that was not read yet. */
export function createReader(
  { session, polls }: { readonly session: Session; readonly polls: Polls },
  id: string,
  from: number | null,
): Reader {
  const seat = polls.join();
  let attachment = attach(from);
  /** Batches that came in order and were not taken. */
  let line: Batch[] = [];
  /** The number of the item after those that came. */
  let next = from;
  /** What was taken last, and is being consumed. */
  let current: { readonly batch: Batch; readonly by: Attachment } | undefined;
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

  /** Asks for as many batches as may be here. */
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
        (waitMs) => repeated(() => read(by, batch, waitMs, wanted)),
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
  ): Promise<Batch | undefined> {
    const nonce = by.nonce ?? (await session.open());
    if (!wanted()) return undefined;
    by.nonce = nonce;
    const answer = await session.callIn(nonce, () =>
      commands.read(nonce, id, by.name, batch, by.from, waitMs),
    );
    if (by === attachment) lost = 0;
    return toBatch(answer);
  }

  function receive(by: Attachment, number: number, batch: Batch): void {
    by.early.set(number, batch);
    for (;;) {
      const following = by.early.get(by.came + 1);
      if (!following || done) break;
      by.came += 1;
      by.early.delete(by.came);
      const rest = next === null ? following : after(next, following);
      line.push(rest);
      next = rest.end;
      done = rest.done;
    }
    wake();
  }

  /**
   * Another attachment, that asks anew for all that was not wholly consumed: what it doesn't ask for counts as read, and the
   * user may be in the middle of a batch when the page goes. Of that batch nothing comes twice.
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
    // One that had waited for some time was no failure.
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
      await repeated(() =>
        session.callIn(nonce, () => commands.cancelRead(nonce, id, name, position)),
      ).catch(() => {});
    },
  };
}

/** What this batch has from item number `next` on. */
function after(next: number, { first, done, end, items }: Batch): Batch {
  const known = Math.max(0, next - first);
  return {
    first: first + known,
    missed: Math.max(0, first - next),
    done,
    end: Math.max(end, next),
    items: known > 0 ? items.slice(known) : items,
  };
}

/** Calls once more, several times, if the call did not reach the plugin. */
async function repeated<T>(call: () => Promise<T>): Promise<T> {
  for (const delay of RETRY_MS) {
    try {
      return await call();
    } catch (rejection) {
      const error = toTaskError(rejection);
      if (error.kind !== "ipc") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return call();
}
