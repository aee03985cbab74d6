// The mock as a CommonJS module of an app imports it.
import mocks = require("tauri-plugin-tasks-api/mocks");

export = mocks.mockTasks({ tick: { output: 3 } }).started;
