import type { Snapshot } from "./client";

export const hasEnded = ({ endedAt }: Pick<Snapshot, "endedAt">): boolean => endedAt !== null;

/** Whether a task has ended without completing. */
export const endedBadly = (snapshot: Snapshot): boolean =>
  hasEnded(snapshot) && snapshot.status !== "completed";
