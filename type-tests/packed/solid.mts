// The primitives as an app with Solid imports them.
import { createMemo, createSignal } from "solid-js";
import { createTasks } from "tauri-plugin-tasks-api";
import { createTaskPrimitives } from "tauri-plugin-tasks-api/solid";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
export const { createTask, createTaskList, createStartTask } = createTaskPrimitives(
  createTasks<Tasks>(),
);

export function createTicks() {
  const [id] = createSignal<string>();
  const tick = createTask("tick", id);
  // @ts-expect-error there is no such kind
  createTask("tock", id);
  return createMemo<number | undefined>(() => tick().snapshot?.progress.completed);
}
