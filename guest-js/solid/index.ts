/**
 * Primitives for Solid 1.8 and newer: tasks, lists, starts, batches, progress and items in components.
 *
 * @module
 */

export { createTaskPrimitives } from "./create-task-primitives.js";
export type { MaybeAccessor, Started, TaskPrimitives } from "./task-primitives.js";
