/**
 * Composables for Vue 3.3 and newer: tasks, lists, starts, batches, progress and items in components.
 *
 * @module
 */

export { createTaskHooks } from "./create-task-hooks.js";
export type {
  ItemsArguments,
  SelectArguments,
  Started,
  TaskHooks,
  TasksArguments,
} from "./task-hooks.js";
