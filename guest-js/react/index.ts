"use client";

/**
 * Hooks for React 18 and 19: tasks, lists, starts, batches, progress and items in components.
 *
 * @module
 */

export { createTaskHooks } from "./create-task-hooks.js";
export type { StartedBatch, StartedTask, TaskHooks, TasksOptions } from "./task-hooks.js";
