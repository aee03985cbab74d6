import type {
  ScheduleSnapshot,
  SessionMessage,
  StartOptions,
  TaskSnapshot,
} from "../core/ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskSnapshotOf } from "../core/types/snapshot.js";
import type { StartArguments } from "../core/types/tasks-client.js";
import type { CommandName, PermissionName } from "./page/permissions.js";
import type { MockFailure } from "./scripts/failure.js";
import type { ProgressReport } from "./scripts/script.js";

/** Options of {@link mockTasks}. */
export interface MockOptions<M extends TaskMap = TaskMap> {
  /**
   * How many tasks may run at once: all together, or of each kind. By default there is no limit. `setLimit` of the client changes
   * it.
   */
  readonly concurrency?: number | { readonly [N in TaskName<M>]?: number } | undefined;
  /** The kinds whose snapshots have the input, which in Rust `Task::show_input` makes so. By default, none. */
  readonly showInput?: readonly TaskName<M>[] | undefined;
  /** What the page may not do. By default it may do everything. */
  readonly permissions?: { readonly deny?: readonly PermissionName[] | undefined } | undefined;
  /** The label of the page's window, `"main"` by default. */
  readonly window?: string | undefined;
  /**
   * Answers all commands of the app and of other plugins. Without it, a `mockIPC` of `@tauri-apps/api/mocks` does, whether it was
   * called before `mockTasks` or is called later.
   */
  readonly ipc?: ((command: string, args: unknown) => unknown) | undefined;
  /**
   * How long the plugin waits for the page, in milliseconds; 30,000 by default, as in an app. The page asks after its connection
   * three times in this time, but at most once a second.
   */
  readonly leaseMs?: number | undefined;
}

/** A task that the page has started. */
export interface StartedTask<N extends string = string, T extends TaskTypes = TaskTypes> {
  readonly id: string;
  readonly name: N;
  readonly input: T["input"];
  readonly options: StartOptions;
}

/**
 * One task in the hands of a test. A task that waits for nothing but its turn begins when it is first driven. Driving a task that
 * can't run, or has ended, throws.
 */
export interface MockTask<T extends TaskTypes = TaskTypes> {
  readonly id: string;
  /** The name of its kind. */
  readonly name: string;
  /** What it was started with. */
  readonly input: T["input"];
  /** Its state in the plugin, of which the page may not have been told yet. */
  readonly snapshot: TaskSnapshotOf<T>;
  /**
   * Whether it was told to stop. A `"manual"` task has 5 seconds then, in which it may be completed, failed or stopped; after that it
   * is `cancelled`.
   */
  readonly cancelled: boolean;
  /** Reports how far it has come. A report of nothing only lets it begin. */
  progress(report: ProgressReport<T["detail"]>): void;
  /** Emits an item, or bytes. Resolves when there is room for the next one. */
  emit(item: T["item"]): Promise<void>;
  /** Completes it. */
  complete(output: T["output"]): void;
  /** Lets it fail with what {@link failure} returns. A task that was told to stop is `cancelled` then. */
  fail(error: MockFailure<T["error"]>): void;
  /** Lets it panic, as a handler in Rust does that has a mistake. */
  panic(message: string): void;
  /** Ends its attempt, which is followed by another one `delayMs` milliseconds later, 0 by default. */
  retry(error: MockFailure<T["error"]>, delayMs?: number): void;
  /** Ends it as `cancelled`, whether it was told to stop or not. */
  stop(): void;
}

/** Somebody else who starts tasks: another window, or the app itself. */
export interface OtherCaller<M extends TaskMap = TaskMap> {
  /** Starts a task, which the page doesn't own, or joins one. Throws if the key is taken. */
  start<N extends TaskName<M>>(name: N, ...args: StartArguments<M[N]["input"]>): MockTask<M[N]>;
}

/** What {@link mockTasks} returns. `M` holds the app's kinds of task. */
export interface TasksMock<M extends TaskMap = TaskMap> {
  /** The tasks that this page has started, in order. */
  readonly started: readonly { [N in TaskName<M>]: StartedTask<N, M[N]> }[TaskName<M>][];
  /** Returns a task by its id. With the name of its kind, its methods are typed for that kind alone. */
  task(id: string): MockTask<M[TaskName<M>]>;
  task<N extends TaskName<M>>(name: N, id: string): MockTask<M[N]>;
  /** Returns the task of this kind that was accepted last, whoever has started it. Throws if there is none. */
  last<N extends TaskName<M>>(name: N): MockTask<M[N]>;
  /** Another window, with this label. */
  otherWindow(label: string): OtherCaller<M>;
  /** The app, which starts tasks in Rust. */
  readonly app: OtherCaller<M>;
  /** Adds a schedule. The mock has no clock for it: `trigger` of the client starts its runs. */
  addSchedule(name: string, task: TaskName<M>, more?: Partial<ScheduleSnapshot>): void;

  /**
   * Runs all that is due now: turns of tasks, frames, and what the page makes of them. Time doesn't pass, neither in real nor in
   * fake timers: what waits for a time, such as a `delayMs` or an `everyMs`, is not due.
   */
  settle(): Promise<void>;
  /**
   * Reloads the page, as far as a mock can: its calls are never answered, its sessions are closed, and the client begins anew with
   * its next call. Its tasks go on. Take the old components off the page yourself, since their code still runs: handles from before
   * stay with the old page, but what calls the client again is in the new one.
   */
  reload(): void;
  /**
   * Cuts the connection: the plugin forgets the page's sessions, as when the page was suspended for too long, and calls wait. They
   * reject with the kind `ipc` after 30 seconds.
   */
  disconnect(): void;
  /**
   * Mends the connection. Calls that wait are carried out. The page finds out that its session is gone with its next call, or
   * after 10 seconds at the latest, and catches up.
   */
  reconnect(): void;
  /**
   * Ends the mock and puts back all that was there before. Calls that have not been answered reject with the kind `ipc`. The next mock
   * begins with nothing, even if components of this one are still on the page. Does nothing the second time.
   */
  restore(): void;

  /** Refuses the next `times` calls of a command, 1 by default, with a rejection of the plugin or of Tauri. */
  refuse(command: CommandName, rejection: unknown, times?: number): void;
  /** Carries out the next call of a command, but answers it only when the returned function is called. */
  hold(command: CommandName): () => void;
  /** Returns the arguments of each call of a command so far. */
  calls(command: CommandName): readonly Readonly<Record<string, unknown>>[];
  /** All messages that were pushed to the page, or got by it, so far. */
  readonly messages: readonly SessionMessage[];
  /** All tasks that the plugin keeps, in the order of their arrival. */
  readonly tasks: readonly TaskSnapshot[];

  /** How many lists the page watches. */
  readonly watches: number;
  /** How many tasks the page follows. */
  readonly followed: number;
  /** How many sessions the page has. */
  readonly sessions: number;
}
