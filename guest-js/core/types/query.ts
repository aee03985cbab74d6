import type { TaskStatus } from "../ipc/bindings.js";

/**
 * Selects tasks by kind, status, tag, key and batch. A task has to match every given field, and of a list any one value.
 * An omitted field matches all tasks, an empty list none.
 */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly tag?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** The id of a batch. */
  readonly parent?: string | readonly string[] | undefined;
}
