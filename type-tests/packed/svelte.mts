// The state as an app with Svelte imports it.
import { createTasks } from "tauri-plugin-tasks-api";
import { listStore } from "tauri-plugin-tasks-api/store";
import { createTaskStates, toStore } from "tauri-plugin-tasks-api/svelte";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
const tasks = createTasks<Tasks>();
export const { taskState, listState, startState } = createTaskStates(tasks);
export const ticks = toStore(listStore(tasks, { task: "tick" }));

export function completed(id: string): number | undefined {
  const tick = taskState("tick", () => id);
  // @ts-expect-error there is no such kind
  taskState("tock", () => id);
  return tick.current.snapshot?.progress.completed;
}
