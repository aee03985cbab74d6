// The stores as a CommonJS module of an app imports them.
import tasksApi = require("tauri-plugin-tasks-api");
import stores = require("tauri-plugin-tasks-api/store");

export = stores.listStore(tasksApi.createTasks(), { status: "running" });
