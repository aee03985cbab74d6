// The stores as an app imports them that has no framework.
import { createTasks } from "tauri-plugin-tasks-api";
import {
  listStore,
  type Readable,
  select,
  startStore,
  taskStore,
} from "tauri-plugin-tasks-api/store";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
const tasks = createTasks<Tasks>();

const start = startStore(tasks, "tick");
export const ticks: Readable<number> = select(listStore(tasks), (state) => state.tasks.length);

export async function run(): Promise<number | undefined> {
  const task = await start.start({ times: 3 });
  const stop = taskStore(tasks, "tick", task.id).subscribe(() => {});
  stop();
  return start.getSnapshot().output;
}
