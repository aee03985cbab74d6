/** The part of the plugin that applies filters. */
import type { TaskFilter, TaskSnapshot, TaskStatus } from "../../core/ipc/bindings.js";
import { ENDED } from "./queue.js";
import { wireError } from "./refusals.js";

const STATUSES: readonly TaskStatus[] = ["queued", "running", "retrying", "cancelling", ...ENDED];

/** Refuses a filter with a list that is too long, or with a status that there is not. */
export function checkFilter(filter: TaskFilter): void {
  for (const [part, entries] of Object.entries(filter)) {
    if ((entries?.length ?? 0) > 256) {
      throw wireError("invalidOptions", `${part}: it has more than 256 entries`);
    }
  }
  const { status } = filter;
  const unknown = status?.find((one) => !STATUSES.includes(one));
  if (unknown) throw wireError("invalidOptions", `unknown variant ${unknown}`);
}

export function matches(snapshot: TaskSnapshot, filter: TaskFilter): boolean {
  return (
    (filter.task?.includes(snapshot.task) ?? true) &&
    (filter.status?.includes(snapshot.status) ?? true) &&
    (filter.tag?.some((tag) => snapshot.tags.includes(tag)) ?? true) &&
    (filter.key?.some((key) => snapshot.key === key) ?? true) &&
    (filter.parent?.some((parent) => snapshot.parent === parent) ?? true)
  );
}
