import type { TaskStatus } from "tauri-plugin-tasks-api";
import type { Snapshot } from "./client";

const ENDED: ReadonlySet<TaskStatus> = new Set<TaskStatus>([
  "completed",
  "failed",
  "cancelled",
  "timedOut",
]);

export const isFinal = (status: TaskStatus): boolean => ENDED.has(status);

export const hasEnded = ({ status }: Snapshot): boolean => isFinal(status);

/** Whether a task has ended without completing. */
export const endedBadly = (snapshot: Snapshot): boolean =>
  hasEnded(snapshot) && snapshot.status !== "completed";
