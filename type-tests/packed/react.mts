// The hooks as an app with React imports them.
import { createTasks } from "tauri-plugin-tasks-api";
import { createTaskHooks } from "tauri-plugin-tasks-api/react";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
export const { useTask, useTasks, useStartTask } = createTaskHooks(createTasks<Tasks>());

export function useTicks(id: string): number | undefined {
  const { snapshot } = useTask("tick", id);
  // @ts-expect-error there is no such kind
  useTask("tock", id);
  return snapshot?.progress.completed;
}
