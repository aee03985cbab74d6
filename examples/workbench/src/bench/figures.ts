import type { Taken } from "./app";
import { note } from "./app";
import type { Frames } from "./frames";

/** The measurements, by name, with one figure for each round. */
export type Measured = { [name: string]: number[] };

/** Adds the figures of another round, each under `name` followed by its own name. */
export function add(measured: Measured, name: string, figures: { [figure: string]: number }): void {
  for (const [figure, value] of Object.entries(figures)) {
    const key = `${name}${figure}`;
    const rounds = measured[key] ?? [];
    rounds.push(value);
    measured[key] = rounds;
  }
  const words = Object.entries(figures).map(([figure, value]) => `${figure} ${round(value)}`);
  void note(`${name}: ${words.join(", ")}`);
}

/** The figures that all ways of delivery have in common. */
export const cost = (frames: Frames, taken: Taken) => ({
  GapMs: frames.longestGapMs,
  Fps: frames.perSecond,
  GrowthMib: taken.peakMib - taken.beforeMib,
  BeforeMib: taken.beforeMib,
  AppPeakMib: taken.appPeakMib,
  PagePeakMib: taken.pagePeakMib,
  AppCpu: taken.appCpu,
  PageCpu: taken.pageCpu,
});

const round = (value: number): number => Number(value.toPrecision(4));
