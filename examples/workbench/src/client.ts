import { createTasks, type SnapshotFor, type TaskName } from "tauri-plugin-tasks-api";
import type { Tasks } from "./tasks.gen";

// On some systems, Tauri gives the bridge to Rust only to the top frame. A page in a frame borrows it from its parent.
window.__TAURI_INTERNALS__ ??= window.parent.__TAURI_INTERNALS__;

/** The client of this page, typed by what the Rust side registers. */
export const tasks = createTasks<Tasks>();

/**
 * The kinds that the list shows: those that this page's forms and buttons start. A query that names its kinds gets
 * typed snapshots.
 */
export const KINDS = [
  "download",
  "hash-folder",
  "job",
  "tail",
  "secret",
] as const satisfies TaskName<Tasks>[];

/** A task in the list. `task` is its kind, which determines the types of its input and its detail. */
export type Snapshot = SnapshotFor<Tasks, (typeof KINDS)[number]>;

/** A task of any kind. */
export type AnySnapshot = SnapshotFor<Tasks, TaskName<Tasks>>;

declare global {
  interface Window {
    __TAURI_INTERNALS__: unknown;
    /** The same client, for the console and for the end-to-end tests. */
    tasks: typeof tasks;
  }
}

window.tasks = tasks;
