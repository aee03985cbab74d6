// The composables as an app with Vue imports them.
import { createTasks } from "tauri-plugin-tasks-api";
import { createTaskHooks } from "tauri-plugin-tasks-api/vue";
import { computed, ref } from "vue";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
export const { useTask, useTasks, useStartTask } = createTaskHooks(createTasks<Tasks>());

export function useTicks() {
  const id = ref<string>();
  const state = useTask("tick", id);
  // @ts-expect-error there is no such kind
  useTask("tock", id);
  return computed<number | undefined>(() => state.value.snapshot?.progress.completed);
}
