/** How long to wait for a frame. A hidden window paints none, but its work must continue. */
const LONGEST_FRAME_MS = 100;
/** How much of the 16 ms of a frame may be used; the rest is for layout and painting. */
const BUDGET_MS = 6;

/** Resolves in the next frame. */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(go, LONGEST_FRAME_MS);
    const request = requestAnimationFrame(go);
    function go(): void {
      window.clearTimeout(timer);
      cancelAnimationFrame(request);
      resolve();
    }
  });
}

/** Returns a function that waits for the next frame if the budget of this one is used up. */
export function createBreak(): () => Promise<void> {
  let begin = performance.now();
  return async () => {
    if (performance.now() - begin >= BUDGET_MS) {
      await nextFrame();
      begin = performance.now();
    }
  };
}

/**
 * Returns a function that calls `paint` in the next frame, but after `delay()` milliseconds at the earliest. Repeated
 * calls count as one.
 */
export function oncePerFrame(paint: () => void, delay: () => number): () => void {
  let due = false;

  async function run(ms: number): Promise<void> {
    if (ms > 0) {
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    await nextFrame();
    due = false;
    paint();
  }

  return () => {
    if (!due) {
      due = true;
      void run(delay());
    }
  };
}
