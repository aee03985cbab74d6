/** What each adapter must do on a server, where there is no window and no plugin. Run it in the environment `node`. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTasks } from "../core/index.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { TestTasks } from "./backend.js";
import type { Shown } from "./harness.js";

const SHOWN: readonly (readonly [shown: Shown, state: unknown])[] = [
  [{ use: "task", name: "tick", id: "01890000-0000-7000-8000-000000000001" }, { state: "loading" }],
  [{ use: "task", name: "tick", id: null }, { state: "idle" }],
  [
    { use: "tasks", query: { task: "tick" } },
    { state: "loading", tasks: [] },
  ],
  [{ use: "tasks", select: ({ tasks }) => tasks.length }, 0],
  [{ use: "progress", task: null }, undefined],
  [
    { use: "items", task: undefined },
    { items: [], missed: 0, done: false },
  ],
];

/** Renders a component on the server, and returns what it has shown. */
export type RenderOnServer = (tasks: TasksClient<TestTasks>, shown: Shown) => Promise<unknown>;

export function describeOnServer(name: string, render: RenderOnServer): void {
  describe(name, () => {
    const tasks = createTasks<TestTasks>();
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      // Whatever had opened something would close it, or try again.
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    it.each(SHOWN)("shows %o as %o, the same each time", async (shown, state) => {
      const first = await render(tasks, shown);
      expect(first).toEqual(state);
      expect(await render(tasks, shown)).toBe(first);
    });

    it.each(["start", "batch"] as const)("starts nothing: %s", async (use) => {
      expect(await render(tasks, { use, name: "tick" })).toMatchObject({ state: "idle" });
    });

    it("has no window", () => {
      expect("window" in globalThis).toBe(false);
    });
  });
}
