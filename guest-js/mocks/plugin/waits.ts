/** The part of the plugin that counts the calls which wait before they are answered. */
import { checkBound } from "./refusals.js";

/** A read that has not been answered. */
interface Poll {
  readonly reader: string;
  readonly waitMs: number;
}

export function createWaits() {
  const polls = new Set<Poll>();
  let mostPolls = 0;
  let mostReads = 0;
  /** How many calls wait in the plugin, for the end of a task or for items. */
  let taken = 0;

  return {
    /** Counts one more call that waits in the plugin. Returns a function to call when it no longer does. */
    take(): () => void {
      checkBound("waits", taken);
      taken += 1;
      return () => {
        taken -= 1;
      };
    },

    /** Counts a pending read. Returns a function to call when it is answered. */
    countRead(args: Record<string, unknown>): () => void {
      const poll: Poll = { reader: String(args["reader"]), waitMs: Number(args["waitMs"]) };
      polls.add(poll);
      const all = [...polls];
      mostPolls = Math.max(mostPolls, all.filter(({ waitMs }) => waitMs > 0).length);
      mostReads = Math.max(mostReads, all.filter(({ reader }) => reader === poll.reader).length);
      return () => polls.delete(poll);
    },

    /** Returns how many reads wait now, the most that have waited at once, and the most that one reader has had pending at once. */
    reads: () => ({
      waiting: [...polls].filter(({ waitMs }) => waitMs > 0).length,
      mostPolls,
      mostOfOneReader: mostReads,
    }),
  };
}

export type Waits = ReturnType<typeof createWaits>;
