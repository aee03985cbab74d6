import { createTaskHooks } from "tauri-plugin-tasks-api/vue";
import { tasks } from "../tasks";

export const { useStartTask, useTask, useTaskItems, useTasks } = createTaskHooks(tasks);
