import { createTaskPrimitives } from "tauri-plugin-tasks-api/solid";
import { tasks } from "../tasks";

export const { createStartTask, createTask, createTaskItems, createTaskList } =
  createTaskPrimitives(tasks);
