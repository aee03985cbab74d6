import prettyBytes from "pretty-bytes";
import prettyMilliseconds from "pretty-ms";
import type { TaskProgress, Unit } from "tauri-plugin-tasks-api";

const integers = new Intl.NumberFormat("en");

export const bytes = (count: number): string => prettyBytes(count);

/** How long something took, with tenths of a second only if it was short. */
export const duration = (ms: number): string =>
  prettyMilliseconds(Math.max(ms, 1), {
    secondsDecimalDigits: ms < 10_000 ? 1 : 0,
    unitCount: ms < 10_000 ? 1 : 2,
  });

/** A running or future time, in whole seconds: tenths would only flicker. */
const wholeSeconds = (ms: number): string =>
  prettyMilliseconds(Math.max(1, Math.round(ms / 1000)) * 1000, { unitCount: 2 });

export const elapsed = (since: number): string => wholeSeconds(Date.now() - since);

export const until = (time: number): string => wholeSeconds(time - Date.now());

const clocks = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });

/** `12:03:10` */
export const clock = (time: number): string => clocks.format(time);

const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = {
  one: "st",
  two: "nd",
  few: "rd",
};

/** `3rd` */
export const ordinal = (number: number): string =>
  integers.format(number) + (ENDINGS[ordinals.select(number)] ?? "th");

/** `1 download`, `2 downloads` */
export const plural = (number: number, one: string, many = `${one}s`): string =>
  `${integers.format(number)} ${number === 1 ? one : many}`;

/** `12.3 MB`, `1,204 files`, or the bare number. */
export function count(value: number, unit: Unit): string {
  switch (unit) {
    case "bytes":
      return bytes(value);
    case "files":
    case "items":
      return `${integers.format(value)} ${value === 1 ? unit.slice(0, -1) : unit}`;
    case "none":
      return integers.format(value);
  }
}

/** How much is done, such as `640 kB of 12 MB`. Each amount has its unit, because the two units rarely agree. */
export function amount(progress: TaskProgress): string {
  const { completed, total, unit } = progress;
  if (total !== null) {
    const done = unit === "bytes" ? bytes(completed) : integers.format(completed);
    return `${done} of ${count(total, unit)}`;
  }
  return completed > 0 ? count(completed, unit) : "";
}

export const rate = (progress: TaskProgress): string =>
  progress.rate === null || progress.rate <= 0
    ? ""
    : progress.unit === "bytes"
      ? `${bytes(progress.rate)}/s`
      : `${integers.format(Math.round(progress.rate * 10) / 10)}/s`;

export const timeLeft = (progress: TaskProgress): string =>
  progress.etaMs === null || progress.etaMs === 0 ? "" : `${wholeSeconds(progress.etaMs)} left`;

export const percent = (fraction: number): string => `${Math.floor(fraction * 100)}%`;

/** The name of a file or folder: the last part of a path of any system. */
export const fileName = (path: string): string =>
  path.split(/[/\\]/).findLast((part) => part !== "") ?? path;
