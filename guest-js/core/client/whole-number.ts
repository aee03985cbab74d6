import { TaskError } from "../errors/task-error.js";

/**
 * Throws unless `value` is a whole number in this range. Without this check, JSON would turn `NaN` and `Infinity` into `null`, which
 * means that nothing was given.
 */
export function checkWholeNumber(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new TaskError(
    "invalidOptions",
    `${name} is ${value}: pass a whole number from ${least} to ${most}, or omit it.`,
  );
}
