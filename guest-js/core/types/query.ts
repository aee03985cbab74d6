import type { TaskStatus } from "../ipc/bindings.js";

/**
 * Which tasks: of these kinds, in these statuses, with one of these tags, with one of these keys, members of these
 * batches. What is left out means all; an empty list matches none.
 */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly tag?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** The id of a batch. */
  readonly parent?: string | readonly string[] | undefined;
}
