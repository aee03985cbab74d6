/**
 * Stores of tasks, for any framework: each has `subscribe` and `getSnapshot`, and opens what it shows when somebody subscribes.
 *
 * @module
 */

export type { ItemsOptions, ItemsState } from "./items-store.js";
export { itemsStore } from "./items-store.js";
export type { LaunchOptions, LaunchState, LaunchStore } from "./launch-store.js";
export type { ListState } from "./list-store.js";
export { listStore } from "./list-store.js";
export type { Readable } from "./readable.js";
export { select } from "./select.js";
export type {
  BatchDefaults,
  BatchState,
  BatchStore,
  StartDefaults,
  StartState,
  StartStore,
} from "./start-store.js";
export { batchStore, startStore } from "./start-store.js";
export type { TaskState } from "./task-store.js";
export { taskStore } from "./task-store.js";
