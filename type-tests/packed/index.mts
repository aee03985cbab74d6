// The client as an app imports it that has no framework.
import { createTasks, TaskFailedError, type TaskSnapshotOf } from "tauri-plugin-tasks-api";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
};
const tasks = createTasks<Tasks>();

export async function run(): Promise<number> {
  const task = await tasks.start("tick", { times: 3 }, { key: "only", onConflict: "join" });
  const last: TaskSnapshotOf<Tasks["tick"]> = task.snapshot;
  for await (const item of task.items()) item satisfies string;
  const outcome = await task.outcome;
  if (outcome.status === "failed" && outcome.error instanceof TaskFailedError) {
    outcome.error.error satisfies string;
  }
  // @ts-expect-error the input is missing
  void tasks.start("tick");
  return last.createdAt + (await task.result);
}
