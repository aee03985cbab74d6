// @vitest-environment node
import { afterEach, expect, it } from "vitest";
import { createTasks } from "../../core/index.js";
import { mockTasks, type TasksMock } from "../index.js";
import type { Tasks } from "./kinds.js";

const tasks = createTasks<Tasks>();
let mock: TasksMock<Tasks>;
afterEach(() => mock.restore());

it("runs without a DOM, and leaves no window behind", async () => {
  expect(typeof window).toBe("undefined");
  mock = mockTasks<Tasks>({ tick: { output: 1 } });
  const task = await tasks.start("tick");
  await mock.settle();
  expect(await task.result).toBe(1);
  mock.restore();
  expect(typeof window).toBe("undefined");
});

it("runs by itself with real timers: frames, pushes and reads", async () => {
  mock = mockTasks<Tasks>({
    download: async (ctx) => {
      for (const item of ["a", "b"]) {
        ctx.progress({ completed: 1 });
        await ctx.emit(item);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return { bytes: 2 };
    },
  });
  const task = await tasks.start("download", { url: "u" });
  const read: string[] = [];
  for await (const item of task.items()) read.push(item);
  expect(read).toEqual(["a", "b"]);
  expect(await task.result).toEqual({ bytes: 2 });
});

it("settles without waiting for real time", async () => {
  mock = mockTasks<Tasks>({ tick: "manual" });
  const task = await tasks.start("tick", null, { delayMs: 3_600_000 });
  const other = await tasks.start("tick");
  await mock.settle();
  expect([task.status, other.status]).toEqual(["queued", "running"]);
});
