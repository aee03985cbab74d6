import type { Taken } from "./app";
import { note } from "./app";
import type { Frames } from "./frames";

/** What was measured, by name. What was measured in rounds has a figure for each. */
export type Measured = { [name: string]: number[] };

/** Adds another round's figures, each under `name` and its own name. */
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

/** What all ways of delivery have in common. */
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
