import { TaskError } from "../errors/task-error.js";
import { misfit, type Rule, readSafely } from "./check.js";
import { isWellFormed } from "./well-formed.js";

/** The type of a field that is there, as a copy. */
type Copy<T> = T extends readonly (infer E)[] ? E[] : Exclude<T, undefined>;

/** The rules for the fields of an object, all of which may be left out. */
export type FieldRules<T> = { readonly [K in keyof T]-?: Rule<Copy<T[K]>> };

/** What {@link fields} returns: the fields that are there. */
export type Given<T> = { -readonly [K in keyof T]?: Copy<T[K]> };

/** A string. `expected` says what to pass. */
export function text(expected: string): Rule<string> {
  return (value, at) => {
    if (typeof value !== "string") throw misfit(at, value, expected);
    if (isWellFormed(value)) return value;
    throw new TaskError(
      "invalidOptions",
      `${at} has a lone surrogate, half of a character, which can't be sent: pass text that was cut at a whole character.`,
    );
  };
}

/** A string that is not empty. */
export function word(expected: string): Rule<string> {
  const read = text(expected);
  return (value, at) => {
    if (value === "") throw misfit(at, value, expected);
    return read(value, at);
  };
}

/** A number. JSON has none that is not finite, and would turn it into `null`. */
export function number(
  expected: string,
  { min, max, whole = true }: { readonly min: number; readonly max: number; whole?: boolean },
): Rule<number> {
  return (value, at) => {
    const fits =
      typeof value === "number" &&
      value >= min &&
      value <= max &&
      (!whole || Number.isInteger(value));
    if (!fits) throw misfit(at, value, expected);
    return value;
  };
}

export const flag: Rule<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw misfit(at, value, "true or false");
  return value;
};

/** A function that is called later. */
export const callback: Rule<(...args: unknown[]) => void> = (value, at) => {
  if (typeof value !== "function") throw misfit(at, value, "a function");
  return value as (...args: unknown[]) => void;
};

export const signal: Rule<AbortSignal> = (value, at) =>
  readSafely(at, () => {
    const some = value as AbortSignal | null | undefined;
    const fits =
      typeof some?.aborted === "boolean" &&
      typeof some.addEventListener === "function" &&
      typeof some.removeEventListener === "function";
    if (!fits) throw misfit(at, value, "an AbortSignal, such as controller.signal, or omit it");
    return some;
  });

/** An array of at most `most` elements, each of which follows `rule`. */
export function list<T>(rule: Rule<T>, expected: string, most = Infinity): Rule<T[]> {
  return (value, at) =>
    readSafely(at, () => {
      if (!Array.isArray(value)) throw misfit(at, value, expected);
      if (value.length > most) {
        const many = `${at} has ${value.length} entries: pass at most ${most} in one call.`;
        throw new TaskError("invalidOptions", many);
      }
      // Not `map`, which skips what an array has left out.
      return Array.from(value, (element, index) => rule(element, `${at}[${index}]`));
    });
}

/** One value, or a list of at most `most`. Returns a list in either case. */
export function oneOrMore<T>(rule: Rule<T>, expected: string, most?: number): Rule<T[]> {
  const several = list(rule, expected, most);
  return (value, at) => (typeof value === "string" ? [rule(value, at)] : several(value, at));
}

/** An object with these fields and no others. Fields that are `undefined` count as left out. */
export function fields<T extends object>(rules: FieldRules<T>, expected: string): Rule<Given<T>> {
  const names = Object.keys(rules) as (keyof T & string)[];
  return (value, at) => {
    if (typeof value !== "object" || value === null) throw misfit(at, value, expected);
    const there = readSafely(at, () => {
      // Not an array, a map, or a promise that was not awaited: all of its fields would seem to be left out.
      const type = Object.prototype.toString.call(value).slice(8, -1);
      if (type !== "Object") {
        const isSignal = type === "AbortSignal" && (names as string[]).includes("signal");
        const pass = isSignal ? "{ signal }" : expected;
        throw new TaskError("invalidOptions", `${at} is of type ${type}: pass ${pass}.`);
      }
      return Object.keys(value);
    });
    const read: Given<T> = {};
    for (const name of names) {
      const field = readSafely(`${at}.${name}`, () => Reflect.get(value, name) as unknown);
      if (field !== undefined) read[name] = rules[name](field, `${at}.${name}`);
    }
    for (const name of there) {
      if ((names as string[]).includes(name)) continue;
      if (readSafely(`${at}.${name}`, () => Reflect.get(value, name)) === undefined) continue;
      throw new TaskError(
        "invalidOptions",
        `${at} has no field ${name}: pass ${expected}, with the fields ${names.join(", ")}.`,
      );
    }
    return read;
  };
}

/** An object as {@link fields} reads it, or nothing. */
export function options<T extends object>(rules: FieldRules<T>): Rule<Given<T>> {
  const read = fields(rules, "a plain object, or omit it");
  return (value, at) => (value === undefined ? {} : read(value, at));
}
