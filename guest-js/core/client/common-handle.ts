import { check } from "../arguments/check.js";
import { report } from "../callbacks/listeners.js";
import { commands } from "../calls/commands.js";
import { rethrow } from "../errors/from-rejection.js";
import { TaskError } from "../errors/task-error.js";
import type { Progress, QueuePlace, TaskSnapshot, TaskStatus } from "../ipc/bindings.js";
import type { PaceOptions } from "../types/options.js";
import type { TaskOutcome } from "../types/outcome.js";
import { CALLBACK, PACE_OPTIONS, PRIORITY, REASON_OR_EVENT } from "./arguments.js";
import { bindMembers, hide } from "./bound.js";
import type { Ending } from "./ending.js";
import type { Hold } from "./hold.js";

/** The kinds of errors with which a cancel is refused because the work has stopped already. */
const STOPPED: readonly string[] = ["alreadyEnded", "notFound", "outcomeExpired"];

/**
 * What the handles of a task and of a batch have in common. `R` is the type of the result, `O` that of the output in the outcome.
 * Its members are bound to the handle: methods can be passed as callbacks, and proxies of the handle work.
 */
export class CommonHandle<R = unknown, O = unknown> {
  declare protected readonly hold: Hold;
  declare private readonly ending: Ending<R>;
  /** Only where the webview has the symbol. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  constructor(hold: Hold, ending: Ending<R>) {
    hide(this, { hold, ending });
    bindMembers(this);
  }

  get id(): string {
    return this.hold.task.id;
  }

  get status(): TaskStatus {
    return this.snapshot.status;
  }

  get snapshot(): TaskSnapshot {
    const { id, snapshot } = this.hold.task;
    // A handle is created only after the first answer.
    if (!snapshot) throw new Error(`Task ${id} has no state yet.`);
    return snapshot;
  }

  get result(): Promise<R> {
    return this.ending.result();
  }

  get outcome(): Promise<TaskOutcome<O>> {
    return this.ending.outcome() as Promise<TaskOutcome<O>>;
  }

  get closed(): Promise<void> {
    return this.hold.task.closed;
  }

  onProgress(
    ...given: [callback: (progress: Progress) => void, options?: PaceOptions]
  ): () => void {
    const { task } = this.hold;
    return listen(this.hold, () => {
      const [callback, { everyMs = 0 }] = check("onProgress", given, CALLBACK, PACE_OPTIONS);
      return () => task.onProgress(callback, everyMs);
    });
  }

  onStatus(...given: [callback: (status: TaskStatus, snapshot: TaskSnapshot) => void]): () => void {
    const { task } = this.hold;
    return listen(this.hold, () => {
      const [callback] = check("onStatus", given, CALLBACK);
      return () => task.onStatus(callback);
    });
  }

  onQueue(...given: [callback: (place: QueuePlace | null) => void]): () => void {
    const { task } = this.hold;
    return listen(this.hold, () => {
      const [callback] = check("onQueue", given, CALLBACK);
      return () => task.onQueue(callback);
    });
  }

  async cancel(...given: [reason?: unknown]): Promise<void> {
    const [reason] = check("cancel", given, REASON_OR_EVENT);
    if (this.hold.task.phase === "ended") {
      throw new TaskError("alreadyEnded", `Task ${this.id} has ended: ${this.status}.`);
    }
    await commands.cancel(this.id, reason).catch(rethrow);
  }

  async pause(): Promise<void> {
    await commands.pause(this.id).catch(rethrow);
  }

  async resume(): Promise<void> {
    await commands.resume(this.id).catch(rethrow);
  }

  async setPriority(...given: [priority: number]): Promise<void> {
    const [priority] = check("setPriority", given, PRIORITY);
    await commands.setPriority(this.id, priority).catch(rethrow);
  }

  async remove(): Promise<void> {
    await commands.remove(this.id).catch(rethrow);
  }

  detach(): void {
    const message = `The handle of task ${this.id} was let go of by detach(): attach to the task again to wait for it.`;
    this.hold.lose(new TaskError("detached", message));
  }

  toJSON(): { id: string; task: string; status: TaskStatus } {
    const { id, task, status } = this.snapshot;
    return { id, task, status };
  }
}

/**
 * Whether nobody waits for anything of this handle: it has no callbacks, and its result and outcome are not awaited. If another copy
 * of this package has made the handle, that is unknown.
 */
export function isIdle(handle: object): boolean {
  return handle instanceof CommonHandle && handle["hold"].isIdle;
}

/**
 * Adds a callback until it is removed or the handle is let go of. `read` reads the arguments and returns what adds it; arguments
 * that don't fit are reported as uncaught.
 */
function listen(hold: Hold, read: () => () => () => void): () => void {
  let add: () => () => void;
  try {
    add = read();
  } catch (error) {
    report(error);
    return () => {};
  }
  if (hold.lost) return () => {};
  const off = add();
  const offLost = hold.onLost(off);
  return () => {
    offLost();
    off();
  };
}

/** Cancels a task, and resolves when the work has stopped. Does nothing if the handle was let go of. */
async function stop(handle: CommonHandle, hold: Hold, ending: Ending<unknown>): Promise<void> {
  if (hold.lost) return;
  try {
    await handle.cancel();
  } catch (error) {
    if (error instanceof TaskError && STOPPED.includes(error.kind)) return;
    throw error;
  }
  // It rejects only if the handle is let go of.
  await ending.over().catch(() => {});
}

if (typeof Symbol.asyncDispose === "symbol") {
  Object.defineProperty(CommonHandle.prototype, Symbol.asyncDispose, {
    configurable: true,
    writable: true,
    value(this: CommonHandle) {
      return stop(this, this["hold"], this["ending"]);
    },
  });
}
