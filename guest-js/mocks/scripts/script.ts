import type { Unit } from "../../core/ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "../../core/types/kind.js";
import type { MockFailure } from "./failure.js";

/** What a script reports of its progress. What is omitted stays as it was. The fraction follows from the numbers. */
export interface ProgressReport<D = unknown> {
  /** How many units are done. */
  readonly completed?: number | undefined;
  /** How many units there are in all; `null` if that is not known. */
  readonly total?: number | null | undefined;
  /** What is counted. */
  readonly unit?: Unit | undefined;
  /** Units per second. The mock measures none. */
  readonly rate?: number | null | undefined;
  /** The time left, in milliseconds. */
  readonly etaMs?: number | null | undefined;
  /** What the task is doing, for people. */
  readonly message?: string | null | undefined;
  /** What the task is doing, as data of the kind's own type. */
  readonly detail?: D | undefined;
}

/** What a script gets: Rust's `TaskContext`, as far as a page can tell. */
export interface MockContext<T extends TaskTypes = TaskTypes> {
  /** The id of the task. */
  readonly id: string;
  /** The name of its kind. */
  readonly name: string;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /**
   * Is aborted when the task is told to stop. A script that has read it has 5 seconds to come to its end, and what it returns
   * still counts. One that has not ends there and then, as a handler in Rust that doesn't ask is dropped.
   */
  readonly signal: AbortSignal;
  /** Reports how far the task has come. Report as often as you like: the page gets the newest state, at most once a frame. */
  progress(report: ProgressReport<T["detail"]>): void;
  /**
   * Emits an item, or bytes. Waits while the buffer is full and somebody reads. Rejects if the task is told to stop, which ends
   * a script that doesn't catch it.
   */
  emit(item: T["item"]): Promise<void>;
}

/** What a handler may return: nothing, too, if its output is `null`. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is what a function without `return` returns.
type Output<O> = null extends O ? O | undefined | void : O;

/**
 * What tasks of one kind do:
 * - a function runs as the handler in Rust would;
 * - `{ output }` completes at once;
 * - `{ error }` fails at once, with what {@link failure} returns;
 * - `"manual"` runs until the test drives it by {@link MockTask}.
 */
export type Script<T extends TaskTypes = TaskTypes> =
  | ((ctx: MockContext<T>, input: T["input"]) => Output<T["output"]> | Promise<Output<T["output"]>>)
  | { readonly output: T["output"] }
  | { readonly error: MockFailure<T["error"]> }
  | "manual";

/** What each kind does. A kind without a script is not registered: its start is refused with `unknownTask`. */
export type Scripts<M extends TaskMap> = { readonly [N in TaskName<M>]?: Script<M[N]> };
