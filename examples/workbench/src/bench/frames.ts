/** How many frames the page drew, and how regularly. */
export interface Frames {
  readonly count: number;
  readonly perSecond: number;
  /** The longest time between two frames, in milliseconds. */
  readonly longestGapMs: number;
}

const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));

/**
 * Watches the frames from the next one on, and calls `draw` in each. The function that it resolves with waits for one more
 * frame, so that a page that is frozen at that moment is measured as frozen.
 */
export async function watchFrames(draw: () => void = () => {}): Promise<() => Promise<Frames>> {
  let isOver = false;
  let count = 0;
  let longestGapMs = 0;
  const first = await frame();
  let last = first;
  const watched = (async () => {
    while (!isOver) {
      const now = await frame();
      count += 1;
      longestGapMs = Math.max(longestGapMs, now - last);
      last = now;
      draw();
    }
  })();
  return async () => {
    isOver = true;
    await watched;
    return { count, perSecond: (count * 1_000) / (last - first), longestGapMs };
  };
}

/** Waits for two frames: what was drawn in the first one is then on the screen. */
export async function settle(): Promise<void> {
  await frame();
  await frame();
}
