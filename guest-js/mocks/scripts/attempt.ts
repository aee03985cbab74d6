import type { MockContext, ProgressReport, Script } from "./script.js";
import type { Timers } from "./timers.js";

/** How long a script that was told to stop has until it is given up, in milliseconds. */
const GRACE_MS = 5_000;

/** How an attempt is over: it has returned, it has thrown, or it was given up after it was told to stop. */
export type Result =
  | { readonly type: "returned"; readonly value: unknown }
  | { readonly type: "thrown"; readonly error: unknown }
  | { readonly type: "dropped" };

/** What an attempt does to its task. */
export interface Effects {
  progress(report: ProgressReport): void;
  /** Emits an item. Resolves when there is room for the next one. */
  emit(item: unknown): Promise<void>;
  /** Is called once, when the attempt is over. */
  over(result: Result): void;
}

export interface AttemptOptions {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly input: unknown;
  readonly script: Script;
  readonly effects: Effects;
  readonly timers: Timers;
}

/** One call of a script. */
export interface Attempt {
  /** Ends it in this way, unless it is over. */
  end(result: Result): void;
  /** Tells it to stop. */
  stop(reason: string): void;
  /** Gives it up without a word to the plugin. */
  abandon(): void;
  /** Emits as the script does, but doesn't mind if the attempt is over by the time that there is room for more. */
  emit(item: unknown): Promise<void>;
}

/** Calls a script. When the attempt is over, what the script still does has no effect. */
export function beginAttempt(options: AttemptOptions): Attempt {
  const { id, name, attempt, input, script, effects, timers } = options;
  const controller = new AbortController();
  /** Whether the script has asked for its signal. Whoever drives a manual task is told in any case. */
  let asks = script === "manual";
  let isOver = false;
  let endGrace = () => {};

  function end(result: Result): void {
    if (isOver) return;
    isOver = true;
    endGrace();
    effects.over(result);
  }

  /** Throws if the script has no more to do. Not by `throwIfAborted`, which not all browsers have. */
  function checkGoesOn(): void {
    if (isOver) throw new Error(`Attempt ${attempt} of task ${id} is over.`);
    if (controller.signal.aborted) throw controller.signal.reason;
  }

  async function emit(item: unknown): Promise<void> {
    checkGoesOn();
    await effects.emit(item);
  }

  const ctx: MockContext = {
    id,
    name,
    attempt,
    get signal() {
      asks = true;
      return controller.signal;
    },
    progress(report) {
      if (!isOver) effects.progress(report);
    },
    async emit(item) {
      await emit(item);
      // What the script was to do next is no longer wanted.
      checkGoesOn();
    },
  };

  function run(): void {
    if (script === "manual") return;
    if (typeof script === "object") {
      end("error" in script ? thrown(script.error) : { type: "returned", value: script.output });
      return;
    }
    // In a promise, so that what it throws at once is caught, too.
    new Promise((resolve) => resolve(script(ctx, input))).then(
      (value) => end({ type: "returned", value }),
      (error: unknown) => end(thrown(error)),
    );
  }

  run();
  return {
    end,
    stop(reason) {
      if (isOver || controller.signal.aborted) return;
      if (!asks) end({ type: "dropped" });
      else endGrace = timers.after(GRACE_MS, () => end({ type: "dropped" }));
      controller.abort(new DOMException(`Task ${id} was told to stop: ${reason}`, "AbortError"));
    },
    abandon() {
      isOver = true;
      endGrace();
      controller.abort(new DOMException("The mock was restored.", "AbortError"));
    },
    emit,
  };
}

function thrown(error: unknown): Result {
  return { type: "thrown", error };
}
