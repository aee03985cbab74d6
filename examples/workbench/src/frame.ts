/** A hidden window paints no frames; work goes on there nevertheless. */
const LONGEST_FRAME_MS = 100;
/** Of the 16 ms of a frame, the rest is for layout and painting. */
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

/** Makes what waits for the next frame whenever this one has been worked in for long enough. */
export function createBreak(): () => Promise<void> {
  let begin = performance.now();
  return async () => {
    if (performance.now() - begin >= BUDGET_MS) {
      await nextFrame();
      begin = performance.now();
    }
  };
}

/** Makes what has `paint` called once in the next frame, however often it is asked for; `delay` says in how many milliseconds at the earliest. */
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
