// Checks the built declarations as a user's ES module sees them, at the end of `npm run build`.
import { createTasks, type TaskPage, type TasksClient } from "tauri-plugin-tasks-api";
import type { Equal, Expect } from "../equal.js";

type Tasks = { tick: { input: null; detail: null; item: string; output: number; error: string } };
const tasks = createTasks<Tasks>();
const task = await tasks.start("tick");
const output = await task.result;
const all = await tasks.list();
// The library of this check has the async iterators of the DOM, which the one of the sources lacks.
for await (const item of task.stream()) void (item satisfies string);
for await (const item of task.stream().values({ preventCancel: true }))
  void (item satisfies string);

export type Checks = [
  Expect<Equal<typeof tasks, TasksClient<Tasks>>>,
  Expect<Equal<typeof output, number>>,
  Expect<Equal<typeof all, TaskPage>>,
];
