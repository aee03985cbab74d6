import { isIdle } from "../core/client/common-handle.js";
import { TaskCancelledError, TaskError } from "../core/errors/task-error.js";
import type { TaskStatus } from "../core/ipc/bindings.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import { createCell, GRACE_MS } from "./cell.js";
import { follow } from "./follow.js";
import type { Readable } from "./readable.js";

/** The part of a handle that a launch needs. */
type Launched = Pick<
  TaskHandle,
  "id" | "status" | "snapshot" | "onStatus" | "onProgress" | "onQueue" | "cancel" | "detach"
> & { readonly outcome: Promise<{ readonly output?: unknown; readonly error?: TaskError }> };

/** What has come of the last call of `start`, with a handle of type `H` whose result is an `O`. */
export interface LaunchState<H extends Launched, O> {
  /**
   * `idle` before the first call, `starting` until it is answered, `refused` if it was refused; otherwise the status of the task. It
   * is one of those that end a task only when `output` or `error` is there. A start that is given up before its answer, by
   * `cancelOnUnmount` or a `signal`, is `cancelled`, as one that is given up later.
   */
  readonly state: "idle" | "starting" | "refused" | TaskStatus;
  readonly task?: H | undefined;
  readonly snapshot?: H["snapshot"] | undefined;
  /** What the task has returned, if it has completed. */
  readonly output?: O | undefined;
  /** Why the start was refused, or why the task has not completed. */
  readonly error?: TaskError | undefined;
}

/** Starts tasks, and shows the newest one. */
export interface LaunchStore<A extends unknown[], H extends Launched, O>
  extends Readable<LaunchState<H, O>> {
  /**
   * Starts a task, and shows it instead of the one before, which goes on. The handle is the caller's: it is let go of together with the
   * store only if nobody waits for anything of it. A rejection that nobody handles is not reported, since the state shows it.
   */
  readonly start: (...args: A) => Promise<H>;
  /** Cancels the task that is shown, or that is being started. Does nothing if there is none, or it has ended. */
  readonly cancel: (reason?: string | object) => Promise<void>;
  /** Shows nothing any more. The task goes on. */
  readonly reset: () => void;
}

/** What to do when the last subscriber has gone. */
export interface LaunchOptions {
  /**
   * Whether the share of the last call in its task is given back when the store has no subscriber any more, as by an aborted `signal`:
   * the task is cancelled unless others have a share in it. By default, it goes on.
   */
  readonly cancelOnUnmount?: boolean | undefined;
}

const IDLE: LaunchState<never, never> = { state: "idle" };

/** A call of `start`. */
interface Call<H> {
  /** Its answer; that of a later `attach` if the handle was let go of. */
  answer: Promise<H>;
  readonly giver: AbortController | undefined;
  /** The handle, once there is one. */
  task?: H;
  /** Whether the handle was let go of, or is to be as soon as there is one. */
  isLeft?: boolean;
}

/**
 * Returns a store that starts tasks by `launch`, and follows one again that it has let go of by `attach`. `toOutput` makes of the
 * output in an outcome what the state has of it. The defaults of a start are read when it is made.
 */
export function launchStore<A extends unknown[], H extends Launched, O, D extends LaunchOptions>(
  defaults: D | (() => D),
  launch: (options: Omit<D, "cancelOnUnmount">, args: A) => Promise<H>,
  attach: (id: string) => Promise<H>,
  toOutput: (output: unknown) => O,
): LaunchStore<A, H, O> {
  let call: Call<H> | undefined;
  let unfollow = () => {};

  const cell = createCell<LaunchState<H, O>>(IDLE, open, () => {
    call?.giver?.abort();
    letGo(call);
  });

  function open(): void {
    if (!call) return;
    if (call.isLeft && call.task) {
      call.answer = attach(call.task.id);
      take(call);
    }
    call.isLeft = false;
    show();
  }

  function take(mine: Call<H>): void {
    mine.answer.then(
      (task) => {
        mine.task = task;
        if (call === mine) show();
        // The caller of `start` hears of the handle first.
        if (mine.isLeft) setTimeout(() => mine.isLeft && letGo(mine), GRACE_MS);
      },
      (error: unknown) => {
        // What can't be followed again stays as it was.
        if (call === mine && !mine.task) cell.set(withoutTask(error));
      },
    );
  }

  /** Shows the task of the last call from now on, while there are subscribers. */
  function show(): void {
    const mine = call;
    const task = mine?.task;
    unfollow();
    if (!task || !cell.isOpen) return;
    unfollow = follow(task, () => {
      const { status: state, snapshot } = task;
      if (snapshot.endedAt === null) cell.set({ state, task, snapshot });
      else
        void endOf(task).then((end) => {
          if (call === mine) cell.set({ state, task, snapshot, ...end });
        });
    });
  }

  async function endOf(task: H): Promise<{ output?: O; error?: TaskError }> {
    try {
      // Not the result, which an aborted signal ends whatever comes of the task.
      const { output, error } = await task.outcome;
      return error ? { error } : { output: toOutput(output) };
    } catch (error) {
      return { error: error as TaskError };
    }
  }

  /** Lets go of a call's handle, unless somebody waits for something of it. */
  function letGo(mine: Call<H> | undefined): void {
    if (call === mine) unfollow();
    if (!mine) return;
    mine.isLeft = !mine.task || isIdle(mine.task);
    if (mine.isLeft) mine.task?.detach();
  }

  return {
    subscribe: cell.subscribe,
    getSnapshot: cell.get,
    getServerSnapshot: () => IDLE,
    start(...args) {
      letGo(call);
      const { cancelOnUnmount, ...options } =
        typeof defaults === "function" ? defaults() : defaults;
      const giver = cancelOnUnmount ? new AbortController() : undefined;
      const answer = launch({ signal: giver?.signal, ...options }, args);
      call = { answer, giver, isLeft: !cell.isOpen };
      take(call);
      cell.set({ state: "starting" });
      return answer;
    },
    async cancel(reason) {
      // The state says why a start was refused.
      const task = await call?.answer.catch(() => undefined);
      try {
        await task?.cancel(reason);
      } catch (error) {
        if ((error as TaskError).kind !== "alreadyEnded") throw error;
      }
    },
    reset() {
      letGo(call);
      call = undefined;
      cell.set(IDLE);
    },
  };
}

/** Returns the state after a start that was refused, or given up before its answer: only then, the error is any, that of the signal. */
function withoutTask(error: unknown): LaunchState<never, never> {
  return error instanceof TaskError
    ? { state: "refused", error }
    : { state: "cancelled", error: new TaskCancelledError("The start was given up.", "signal") };
}
