/** Import this before the mock, and no task begins by itself: each begins when it is first driven. */
import { vi } from "vitest";

vi.mock("../scripts/timers.js", async (original) => {
  const { createTimers } = await original<typeof import("../scripts/timers.js")>();
  return { createTimers: () => ({ ...createTimers(), soon: () => {}, flush: () => false }) };
});
