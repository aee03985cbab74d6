/** The part of the plugin that answers the page's reads of what tasks emit. */
import type { Items } from "./items.js";
import type { Args } from "./json.js";
import { checkBound } from "./refusals.js";
import type { Sessions } from "./sessions.js";
import { sees } from "./shares.js";
import type { Table } from "./table.js";
import type { Waits } from "./waits.js";

/** How long a read waits at most, in milliseconds. */
const LONGEST_WAIT_MS = 25_000;
/** How many items, or bytes, one chunk may hold. */
const CHUNK_LIMIT = 4_096;

export function createReads(table: Table, sessions: Sessions, waits: Waits) {
  /** The waiting reads of each session. Calling one makes it answer `null`. */
  const waiting = new Map<string, Set<() => void>>();
  let chunkLimit = CHUNK_LIMIT;

  /** Returns the items that a read asks for. A reader that is there reads on, whatever has become of the task. */
  function itemsOf(args: Args): Items {
    const id = String(args["id"]);
    return table.readBy(id, readerName(args)) ?? table.getOrExpired(id, sees).items;
  }

  /** Returns the chunk that a read asks for, or `undefined` if there is nothing yet. */
  function look(session: string, args: Args): unknown {
    const [reader, chunk] = [readerName(args), Number(args["chunk"])];
    const items = itemsOf(args);
    if (items.reader !== reader) {
      checkBound("readers", [...table.all.values()].filter((task) => task.items.reader).length);
    }
    return items.ask(session, { reader, chunk, from: args["from"] as number | null }, chunkLimit);
  }

  return {
    /** Sets how many items, or bytes, one chunk may hold. */
    limitChunks(limit: number): void {
      chunkLimit = limit;
    },

    handlers: {
      async read(args: Args) {
        const items = itemsOf(args);
        const session = sessions.of(args);
        const waitMs = Number(args["waitMs"]);
        const room = waiting.get(session.nonce) ?? new Set();
        waiting.set(session.nonce, room);
        if (waitMs === 0) for (const giveUp of [...room]) giveUp();
        const there = look(session.nonce, args);
        const over = waits.take();
        if (there !== undefined || waitMs === 0) {
          over();
          return there ?? null;
        }
        return new Promise((resolve, reject) => {
          const settle = (finish: () => void) => {
            over();
            clearTimeout(timer);
            room.delete(giveUp);
            off();
            finish();
          };
          const giveUp = () => settle(() => resolve(null));
          const timer = setTimeout(giveUp, Math.min(waitMs, LONGEST_WAIT_MS));
          const off = items.wait(() => {
            try {
              const found = look(session.nonce, args);
              if (found !== undefined) settle(() => resolve(found));
            } catch (error) {
              settle(() => reject(error));
            }
          });
          room.add(giveUp);
        });
      },

      cancel_read(args: Args) {
        sessions.of(args);
        const [id, reader] = [String(args["id"]), readerName(args)];
        const items = table.readBy(id, reader) ?? table.get(id, sees).items;
        items.stop(reader, Number(args["position"]));
        return null;
      },
    },
  };
}

/** Returns the full name of a reader, which is unique among all sessions. */
function readerName(args: Args): string {
  return `${args["session"]}/${args["reader"]}`;
}
