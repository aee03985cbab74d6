/** What each adapter's tests give to the cases, so that these need not know the framework. */
import type { TaskSnapshot } from "../core/ipc/bindings.js";
import type { TaskQuery } from "../core/types/query.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { BatchDefaults, ListState, StartDefaults } from "../store/index.js";
import type { TestTasks } from "./backend.js";

type Kind = keyof TestTasks;
type Handle = TaskHandle<TestTasks[Kind]>;

/** What a component shows, and with which arguments. */
export type Shown =
  | { readonly use: "task"; readonly name: Kind; readonly id: string | null | undefined }
  | {
      readonly use: "tasks";
      readonly query?: TaskQuery<Kind>;
      readonly select?: (
        state: ListState<{ readonly id: string; readonly status: string }>,
      ) => unknown;
      readonly isEqual?: (a: unknown, b: unknown) => boolean;
      readonly everyMs?: number;
    }
  | { readonly use: "start"; readonly name: "tick"; readonly defaults?: StartDefaults }
  | { readonly use: "batch"; readonly name: "tick"; readonly defaults?: BatchDefaults }
  | { readonly use: "progress"; readonly task: Handle | null | undefined }
  | { readonly use: "items"; readonly task: Handle | null | undefined; readonly limit?: number };

/** The fields of all that a component may show; each has those of its own. */
export interface State {
  readonly state: string;
  readonly snapshot: TaskSnapshot | undefined;
  readonly task: { readonly id: string };
  readonly output: unknown;
  readonly error: { readonly kind: string } | undefined;
  readonly tasks: readonly TaskSnapshot[];
  readonly items: readonly unknown[];
  readonly completed: number;
}

/** What `start` and `batch` return besides the state. */
export interface Controls {
  readonly start: (...args: readonly unknown[]) => Promise<{ readonly id: string }>;
  readonly cancel: (reason?: string | object) => Promise<void>;
  readonly reset: () => void;
}

/** A component on the page. */
export interface Mounted {
  /** What it shows. */
  state(): State;
  /** What it has shown with each render so far, beginning with the first. */
  seen(): readonly State[];
  /** How often it has rendered. */
  renders(): number;
  /** What the last render had of `start` or `batch`. */
  controls(): Controls;
  /** Gives it other arguments, for the same `use`. Returns when it has rendered. */
  rerender(shown: Shown): void | Promise<void>;
  unmount(): void;
}

export interface Harness {
  mount(shown: Shown): Mounted | Promise<Mounted>;
  /** Mounts a component, takes it off and mounts it again at once, as `StrictMode` of React and hot reloads do. */
  mountTwice(shown: Shown): Mounted | Promise<Mounted>;
  /** Does something that may change what components show, and returns when they have rendered. */
  act(change: () => Promise<void>): Promise<void>;
  /** Takes all components off the page. */
  cleanUp(): void;
}

/** Loads an adapter, bound to a client. */
export type LoadHarness = (tasks: TasksClient<TestTasks>) => Promise<Harness>;
