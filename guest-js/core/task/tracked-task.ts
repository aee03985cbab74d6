import type { Progress, QueuePlace, TaskSnapshot, TaskStatus } from "../ipc/bindings.js";
import type { TaskOutcome } from "../types/outcome.js";

/** What this page knows about one task. All handles of the task share it. */
export interface TrackedTask {
  /** The id from the first answer. If a start joined a task, this differs from the id that the start sent. */
  readonly id: string;
  /** The newest state; `undefined` until the first answer. */
  readonly snapshot: TaskSnapshot | undefined;
  /** `live`: more events may come. `ended`: the page has seen its end. `vanished`: the plugin forgot it before that. */
  readonly phase: "live" | "ended" | "vanished";
  /** Each calls back for the first time after it has returned. `onProgress` at most once in `everyMs` milliseconds; in each frame if it is 0. */
  onProgress(callback: (progress: Progress) => void, everyMs: number): () => void;
  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshot) => void): () => void;
  onQueue(callback: (place: QueuePlace | null) => void): () => void;
  /** Calls back as soon as the task is no longer live, before any user callback is called. */
  onOver(callback: () => void): () => void;
  /** Resolves when the task is no longer live. */
  readonly closed: Promise<void>;
  /** Returns how the task ended. Fetched at the first call, and again only if that failed. */
  outcome(): Promise<TaskOutcome>;
}
