// The client as a CommonJS module of an app imports it.
import tasksApi = require("tauri-plugin-tasks-api");

const tasks = tasksApi.createTasks();

export = async function counted(): Promise<number> {
  const page = await tasks.list({ status: "running" });
  return page.tasks.length;
};
