import type { Measured } from "./figures";
import { watchFrames } from "./frames";

import { show } from "./screen";

const MS = 1_000;
/** The first frames of a page that was just loaded come late. */
const WARM_UP_MS = 500;

/** Measures how this display draws a page that does nothing else. */
export async function idle(): Promise<Measured> {
  await wait(WARM_UP_MS);
  let drawn = 0;
  const end = await watchFrames(() => {
    drawn += 1;
    show({ state: `idle, frame ${drawn}` });
  });
  await wait(MS);
  const frames = await end();
  return { idleFps: [frames.perSecond], idleGapMs: [frames.longestGapMs] };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
