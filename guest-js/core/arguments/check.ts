import { TaskError } from "../errors/task-error.js";

/**
 * Reads a value that a caller has passed, who may have no types: returns what the client works with and sends, or throws a
 * {@link TaskError}. `at` is the beginning of the error's message, up to the name of the value.
 */
export type Rule<T> = (value: unknown, at: string) => T;

/** One argument of a call. */
export interface Argument<T> {
  readonly name: string;
  readonly rule: Rule<T>;
}

type Values<A> = { -readonly [I in keyof A]: A[I] extends Argument<infer T> ? T : never };

/**
 * Reads all arguments of a call by their rules. Each value is read once, so that nothing is sent that was not checked. Throws
 * a {@link TaskError} for the first argument that can't be sent as it is: every call does this before it sends anything.
 */
export function check<const A extends readonly Argument<unknown>[]>(
  call: string,
  given: readonly unknown[],
  ...expected: A
): Values<A> {
  const values = expected.map(({ name, rule }, index) =>
    rule(given[index], `${call} was refused, since ${name}`),
  );
  return values as Values<A>;
}

/** Returns the error for a value that doesn't fit. `expected` says what to pass. */
export function misfit(at: string, value: unknown, expected: string): TaskError {
  return new TaskError("invalidOptions", `${at} is ${shown(value)}: pass ${expected}.`);
}

/** Runs code that reads a value of the caller, which may be a proxy or have getters. Throws only errors of type {@link TaskError}. */
export function readSafely<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TaskError) throw cause;
    throw new TaskError("invalidOptions", `${at} can't be read: ${textOf(cause)}`, null, { cause });
  }
}

/** Returns the message of something that was thrown, which may be anything. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return "reading it throws";
  }
}

/** Describes a value in a message. Never runs code of the caller. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "missing";
    case "string":
      if (value === "") return "an empty string";
      return value.length > 40 ? "a string" : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : "an object";
    default:
      return String(value);
  }
}
