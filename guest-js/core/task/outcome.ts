import { commands } from "../calls/commands.js";
import { toTaskError } from "../errors/from-rejection.js";
import {
  OutcomeExpiredError,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "../errors/task-error.js";
import type { Outcome, TaskFailure } from "../ipc/bindings.js";
import type { TaskOutcome } from "../types/outcome.js";

/** The shortest time between two requests, in milliseconds, in case the plugin answers `null` without waiting. */
const ASK_AGAIN_MS = 1_000;

/** Fetches the outcome of a task, and asks again until there is one. Rejects with a TaskError. */
export async function fetchOutcome(id: string): Promise<Outcome> {
  for (;;) {
    const asked = performance.now();
    const outcome = await commands.outcome(id).catch((rejection: unknown) => {
      const error = toTaskError(rejection);
      throw error.kind === "notFound" ? expired(id, error) : error;
    });
    if (outcome) return outcome;
    const rest = asked + ASK_AGAIN_MS - performance.now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

/** Returns the error for a task that existed and that the plugin no longer knows. */
export function expired(id: string, cause?: unknown): OutcomeExpiredError {
  return new OutcomeExpiredError(
    `The outcome of task ${id} is no longer kept: the task was removed, or was dropped to make room for newer ones. ` +
      "Read it sooner.",
    null,
    cause === undefined ? undefined : { cause },
  );
}

/** Converts an outcome from the wire to the public type. Output and error stay untyped: the caller vouches for their types. */
export function fromWire(outcome: Outcome): TaskOutcome {
  switch (outcome.status) {
    case "completed":
      return { status: "completed", output: outcome.data.output };
    case "failed":
      return { status: "failed", error: failure(outcome.data) };
    case "cancelled": {
      const { reason } = outcome.data;
      const message = `The task was cancelled (${reason}).`;
      return { status: "cancelled", error: new TaskCancelledError(message, reason) };
    }
    case "timedOut": {
      const { limit, message } = outcome.data;
      return { status: "timedOut", error: new TaskTimedOutError(message, limit) };
    }
    default:
      return unknown(outcome);
  }
}

/** Converts an outcome that only a newer plugin has. Its status is also the kind of its error, as for the known ones. */
function unknown({ status, data = null }: { status: string; data?: unknown }): TaskOutcome {
  const told = typeof data === "object" && data !== null ? Reflect.get(data, "message") : undefined;
  const message =
    typeof told === "string"
      ? told
      : `The task ended as "${status}", which this version of tauri-plugin-tasks-api doesn't know: update it.`;
  // The type has only the outcomes of this version.
  return { status, error: new TaskError(status, message, data) } as unknown as TaskOutcome;
}

/** Converts the outcome of a batch, whose output holds the outcomes of its members. */
export function batchFromWire(outcome: Outcome): TaskOutcome {
  if (outcome.status !== "completed") return fromWire(outcome);
  const members = outcome.data.output as Outcome[];
  return { status: "completed", output: members.map(fromWire) };
}

/** Converts the outcome of a member to what the result of a batch has for it. */
export function settled(outcome: TaskOutcome): PromiseSettledResult<unknown> {
  return outcome.status === "completed"
    ? { status: "fulfilled", value: outcome.output }
    : { status: "rejected", reason: outcome.error };
}

function failure({ kind, message, error }: TaskFailure): TaskFailedError | TaskPanicError {
  switch (kind) {
    case "panic":
    case "unserializable":
    case "runtimeEnded":
      return new TaskPanicError(message, kind);
    default:
      return new TaskFailedError(message, error);
  }
}
