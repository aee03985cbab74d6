/**
 * State for Svelte 5.20 and newer: tasks, lists, starts, batches, progress and items in components.
 *
 * @module
 */

export { createTaskStates } from "./create-task-states.js";
export type { Current, MaybeGetter, Started, TaskStates, TasksOptions } from "./task-states.js";
export { toStore } from "./to-store.js";
