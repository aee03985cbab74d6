import type { Progress, QueuePlace, TaskSnapshot, TaskStatus } from "../ipc/bindings.js";
import type { TaskOutcome } from "../types/outcome.js";

/** What this page knows of one task. All handles of the task share it. */
export interface TrackedTask {
  /** The id in the first answer: a start that joined a task gets another id than it sent. */
  readonly id: string;
  /** The newest state; `undefined` until the first answer. */
  readonly snapshot: TaskSnapshot | undefined;
  /** `live`: more may come. `ended`: its end was seen. `vanished`: the plugin forgot it before its end was seen. */
  readonly phase: "live" | "ended" | "vanished";
  onProgress(callback: (progress: Progress) => void): () => void;
  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshot) => void): () => void;
  onQueue(callback: (place: QueuePlace | null) => void): () => void;
  /** Calls back as soon as the task is no longer live, before any user hears of it. */
  onOver(callback: () => void): () => void;
  /** Resolves when the task is no longer live. */
  readonly closed: Promise<void>;
  /** How the task ended. Fetched at the first call, and again only if that failed. */
  outcome(): Promise<TaskOutcome>;
}
