import { rethrow } from "../errors/from-rejection.js";
import { TaskError } from "../errors/task-error.js";
import {
  commands,
  type Progress,
  type QueuePlace,
  type TaskSnapshot,
  type TaskStatus,
} from "../ipc/bindings.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { PaceOptions } from "../types/options.js";
import type { TaskOutcome } from "../types/outcome.js";
import { toPace } from "./pace.js";
import type { Result } from "./result.js";

/**
 * What the handles of a task and of a batch have in common. `R` is the type of the result, `O` that of the output in the outcome.
 * The methods are bound to the handle, so that they can be passed as callbacks.
 */
export class CommonHandle<R = unknown, O = unknown> {
  protected readonly tracked: TrackedTask;
  private readonly outputs: Result<R>;

  constructor(tracked: TrackedTask, result: Result<R>) {
    this.tracked = tracked;
    this.outputs = result;
  }

  get id(): string {
    return this.tracked.id;
  }

  get status(): TaskStatus {
    return this.snapshot.status;
  }

  get snapshot(): TaskSnapshot {
    const { id, snapshot } = this.tracked;
    // A handle is created only after the first answer.
    if (!snapshot) throw new Error(`Task ${id} has no state yet.`);
    return snapshot;
  }

  get result(): Promise<R> {
    return this.outputs.promise();
  }

  get outcome(): Promise<TaskOutcome<O>> {
    return this.tracked.outcome() as Promise<TaskOutcome<O>>;
  }

  get closed(): Promise<void> {
    return this.tracked.closed;
  }

  readonly onProgress = (callback: (progress: Progress) => void, options?: PaceOptions) =>
    this.tracked.onProgress(callback, toPace(options));
  readonly onStatus = (callback: (status: TaskStatus, snapshot: TaskSnapshot) => void) =>
    this.tracked.onStatus(callback);
  readonly onQueue = (callback: (place: QueuePlace | null) => void) =>
    this.tracked.onQueue(callback);

  readonly cancel = async (): Promise<void> => {
    if (this.tracked.phase === "ended") {
      throw new TaskError("alreadyEnded", `Task ${this.id} has ended: ${this.status}.`);
    }
    await commands.cancel(this.id, "user").catch(rethrow);
  };

  readonly pause = async (): Promise<void> => {
    await commands.pause(this.id).catch(rethrow);
  };

  readonly resume = async (): Promise<void> => {
    await commands.resume(this.id).catch(rethrow);
  };

  readonly setPriority = async (priority: number): Promise<void> => {
    await commands.setPriority(this.id, priority).catch(rethrow);
  };

  readonly remove = async (): Promise<void> => {
    await commands.remove(this.id).catch(rethrow);
  };
}
