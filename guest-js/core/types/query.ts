import type { TaskStatus } from "../ipc/bindings.js";

/**
 * Selects tasks by kind, status, tag, key and batch. A task must match every field that is given; it matches a list if it matches
 * any of its values. An omitted field matches all tasks, an empty list matches none.
 */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly tag?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** The id of the batch that the task is a member of. */
  readonly parent?: string | readonly string[] | undefined;
}
