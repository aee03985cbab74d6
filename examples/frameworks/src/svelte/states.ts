import { createTaskStates } from "tauri-plugin-tasks-api/svelte";
import { tasks } from "../tasks";

export const { itemsState, listState, startState, taskState } = createTaskStates(tasks);
