// Checks the built declarations as a user's CommonJS module sees them, at the end of `npm run build`.
import tasksApi = require("tauri-plugin-tasks-api");

type Tasks = { tick: { input: null; detail: null; item: never; output: number; error: string } };
const tasks = tasksApi.createTasks<Tasks>();

export = async function run(): Promise<number> {
  const task = await tasks.start("tick");
  const outcome = await task.outcome;
  if (outcome.status === "failed" && outcome.error instanceof tasksApi.TaskFailedError) {
    const text: string = outcome.error.error;
    throw new tasksApi.TaskError("failed", text);
  }
  return task.result;
};
