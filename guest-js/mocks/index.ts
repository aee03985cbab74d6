/**
 * A page that can be tested, shown and developed without Rust: what the plugin of `tauri-plugin-tasks` does, in the page itself.
 *
 * @module
 */

export type {
  MockOptions,
  MockTask,
  OtherCaller,
  StartedTask,
  TasksMock,
} from "./mock.js";
export { mockTasks } from "./mock-tasks.js";
export type { CommandName, PermissionName } from "./page/permissions.js";
export { failure, type MockFailure } from "./scripts/failure.js";
export type { MockContext, ProgressReport, Script, Scripts } from "./scripts/script.js";
