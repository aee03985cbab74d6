import type { TaskStatus } from "../ipc/bindings.js";

/**
 * Selects tasks by kind, status, tag, key and batch. A task must match every field that is given. If a field is a list,
 * matching one of its values is enough. An omitted field matches all tasks, an empty list matches none.
 *
 * A list has at most 256 values, a name or a tag in it at most 1 KiB, and a key at most 4 KiB; otherwise the call is refused with
 * `invalidOptions`.
 */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly tag?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** The id of the batch that the task is a member of. */
  readonly parent?: string | readonly string[] | undefined;
}

/**
 * The same query, in which no field may be `undefined`, nor be one that a query doesn't have. `exactOptionalPropertyTypes`
 * would see to the first only where it is set.
 */
export type WithoutUndefined<Q> = {
  [F in keyof Q]: F extends keyof TaskQuery | "all" ? Exclude<Q[F], undefined | null> : never;
};

/** A query with the field `F`. */
type With<F extends keyof TaskQuery, K extends string> = {
  readonly [G in F]-?: Exclude<TaskQuery<K>[G], undefined>;
} & { readonly [G in Exclude<keyof TaskQuery, F>]?: Exclude<TaskQuery<K>[G], undefined> };

/**
 * Selects the tasks to cancel: a {@link TaskQuery} with at least one field, or `{ all: true }` for all tasks. Fields that
 * are `undefined` or `null` are refused, so that a missing value never selects all tasks.
 */
export type CancelQuery<K extends string = string> =
  | {
      [F in keyof TaskQuery]-?: With<F, K> & { readonly all?: never };
    }[keyof TaskQuery]
  | ({ readonly all: true } & { readonly [F in keyof TaskQuery]?: never });
