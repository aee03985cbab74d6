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

/** Whether it has ended without what it was started for. */
export const endedBadly = (snapshot: Snapshot): boolean =>
  hasEnded(snapshot) && snapshot.status !== "completed";
