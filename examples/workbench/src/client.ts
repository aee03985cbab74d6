import { createTasks, type SnapshotFor, type TaskName } from "tauri-plugin-tasks-api";
import type { Tasks } from "./tasks.gen";

// Tauri gives the bridge to Rust to the top frame alone on some systems; this page in a frame of itself borrows it.
window.__TAURI_INTERNALS__ ??= window.parent.__TAURI_INTERNALS__;

/** The client of this page, typed by what the Rust side registers. */
export const tasks = createTasks<Tasks>();

/** The kinds that the list shows: not `numbers` and `noise`. A query that names its kinds gets snapshots with their types. */
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
