import { createTasks } from "tauri-plugin-tasks-api";
import type { Tasks } from "./tasks.gen";

export const tasks = createTasks<Tasks>();
