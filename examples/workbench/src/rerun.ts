import { type Snapshot, tasks } from "./client";
import { type Follow, remove } from "./handles";
import type { Logs } from "./logs";
import { downloadWords, hashWords, jobWords, tailWords } from "./words";

/** Returns a function that reruns a task of the list. The new task replaces the old one in the list. */
export function createRerun(follow: Follow, openLog: Logs["open"]) {
  return async (snapshot: Snapshot): Promise<void> => {
    const end = await restart(snapshot, follow, openLog);
    // Members are not removed: their batch would have gaps.
    if (snapshot.parent === null) {
      await remove(snapshot);
    }
    await end();
  };
}

/** Reruns a task. Resolves when the new task is started, with a function that waits for its end. */
async function restart(
  { task, id, input }: Snapshot,
  follow: Follow,
  openLog: Logs["open"],
): Promise<() => Promise<void>> {
  switch (task) {
    case "download": {
      const again = await tasks.rerun(task, id);
      return () => follow(again, downloadWords(input));
    }
    case "hash-folder": {
      const again = await tasks.rerun(task, id);
      return () => follow(again, hashWords(input));
    }
    case "job": {
      const again = await tasks.rerun(task, id);
      return () => follow(again, jobWords());
    }
    case "tail": {
      const again = await tasks.rerun(task, id);
      openLog(again, input?.path ?? "");
      return () => follow(again, tailWords(input));
    }
    case "secret":
      await tasks.rerun(task, id);
      return () => Promise.resolve();
  }
}
