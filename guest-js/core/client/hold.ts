import { createListeners } from "../callbacks/listeners.js";
import type { TaskRegistry } from "../task/registry.js";
import type { TrackedTask } from "../task/tracked-task.js";

/** One handle's hold on a task: what the handle keeps until it is let go of. */
export interface Hold {
  readonly task: TrackedTask;
  /** Why the handle was let go of: what it rejects with. `undefined` as long as it is held. */
  readonly lost: { readonly reason: unknown } | undefined;
  /** Whether nothing waits for its end but what each handle has. */
  readonly isIdle: boolean;
  /** Calls `end` with the reason when the handle is let go of, unless the returned function is called before that. */
  onLost(end: (reason: unknown) => void): () => void;
  /** Looks whether the page may still be told of the task, even if the handle was let go of: others may follow the task. */
  recheck(): void;
  /** Notes that what each handle has is there. `isBusy` says whether the handle is used in a way that the hold doesn't know of. */
  complete(isBusy?: () => boolean): void;
  /** Lets go of the handle. Does nothing the second time. */
  lose(reason: unknown): void;
}

export function createHold(tasks: TaskRegistry, task: TrackedTask): Hold {
  const ends = createListeners<[unknown]>();
  let lost: Hold["lost"];
  let own = 0;
  let isUsed = () => false;
  return {
    task,
    get lost() {
      return lost;
    },
    get isIdle() {
      return ends.size <= own && !isUsed();
    },
    complete(isBusy = isUsed) {
      own = ends.size;
      isUsed = isBusy;
    },
    onLost: ends.add,
    recheck: () => tasks.recheck(task.id),
    lose(reason) {
      if (lost) return;
      lost = { reason };
      ends.emit(reason);
      ends.clear();
      tasks.release(task);
    },
  };
}
