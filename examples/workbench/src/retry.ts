import { type Snapshot, tasks } from "./client";
import { type Follow, remove } from "./handles";
import type { Logs } from "./logs";
import { downloadWords, hashWords, jobWords, tailWords } from "./words";

/** Makes what starts a task of the list again that ended badly. The new one takes its place in the list. */
export function createRetry(follow: Follow, openLog: Logs["open"]) {
  return async (snapshot: Snapshot): Promise<void> => {
    const end = await restart(snapshot, follow, openLog);
    // Members stay, or their batch would have gaps.
    if (snapshot.parent === null) {
      await remove(snapshot);
    }
    await end();
  };
}

/** Resolves when it is started, with what waits for its end. */
async function restart(
  { task, id, input }: Snapshot,
  follow: Follow,
  openLog: Logs["open"],
): Promise<() => Promise<void>> {
  switch (task) {
    case "download": {
      const again = await tasks.retry(task, id);
      return () => follow(again, downloadWords(input));
    }
    case "hash-folder": {
      const again = await tasks.retry(task, id);
      return () => follow(again, hashWords(input));
    }
    case "job": {
      const again = await tasks.retry(task, id);
      return () => follow(again, jobWords());
    }
    case "tail": {
      const again = await tasks.retry(task, id);
      openLog(again, input?.path ?? "");
      return () => follow(again, tailWords(input));
    }
    case "secret":
      await tasks.retry(task, id);
      return () => Promise.resolve();
  }
}
