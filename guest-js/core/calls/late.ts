import type { TaskError } from "../errors/task-error.js";

/** Where an error keeps the answer that may still come. Shared by all copies of this package. */
const LATE = Symbol.for("tauri-plugin-tasks-api/late");

/** Marks `error` as the one of a call that was not answered in time. `answer` is what it waits for. */
export function keepLate(error: TaskError, answer: Promise<unknown>): TaskError {
  return Object.defineProperty(error, LATE, { value: answer, configurable: true });
}

/** Returns whether this is the error of a call that was not answered in time. */
export function isUnanswered(error: unknown): boolean {
  return lateAnswer(error) !== undefined;
}

/**
 * Settles as `call` does. If that was not answered in time and the command succeeds after all, calls `take` with what the command
 * returned.
 */
export async function withLate<T>(call: Promise<T>, take: (answer: T) => void): Promise<T> {
  try {
    return await call;
  } catch (error) {
    // The command returns what `call` would have returned.
    (lateAnswer(error) as Promise<T> | undefined)?.then(take).catch(() => {});
    throw error;
  }
}

/** Returns what `convert` makes of the answer to `call`, also for {@link withLate}. */
export async function converted<T, U>(call: Promise<T>, convert: (answer: T) => U): Promise<U> {
  try {
    return convert(await call);
  } catch (error) {
    const late = (lateAnswer(error) as Promise<T> | undefined)?.then(convert);
    // It may reject when nobody waits for it.
    late?.catch(() => {});
    throw late ? keepLate(error as TaskError, late) : error;
  }
}

function lateAnswer(error: unknown): Promise<unknown> | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(error, LATE)?.value;
  return value instanceof Promise ? value : undefined;
}
