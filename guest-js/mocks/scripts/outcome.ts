import type { Outcome, TaskSnapshot, TimeLimit } from "../../core/ipc/bindings.js";
import type { Result } from "./attempt.js";
import { MockFailure } from "./failure.js";

/** Returns how a task ends whose attempt is over. */
export function outcomeOf(result: Result, snapshot: TaskSnapshot, limitMs = 0): Outcome {
  const { task, timeLimit } = snapshot;
  if (timeLimit) return timedOut(task, timeLimit, limitMs);
  if (result.type === "returned") return completed(result.value);
  const isTold = snapshot.status === "cancelling";
  if (isTold || result.type === "dropped") {
    return { status: "cancelled", data: { reason: snapshot.cancelReason ?? "user" } };
  }
  return { status: "failed", data: failureOf(result.error, task) };
}

/** Returns how a task ends that has reached a time limit, which is `ms` milliseconds long. */
export function timedOut(task: string, limit: TimeLimit, ms: number): Outcome {
  const length = lengthOf(ms);
  const message =
    limit === "deadline"
      ? `task "${task}" had not ended by its deadline, ${length} after it was accepted`
      : `task "${task}" took longer than its timeout of ${length}`;
  return { status: "timedOut", data: { limit, message } };
}

function completed(value: unknown): Outcome {
  try {
    const output: unknown = JSON.parse(JSON.stringify(value ?? null));
    return { status: "completed", data: { output } };
  } catch (error) {
    const message = `the output can't be written as JSON: ${messageOf(error)}`;
    return { status: "failed", data: { kind: "unserializable", message, error: null } };
  }
}

function failureOf(error: unknown, task: string) {
  if (!(error instanceof MockFailure)) {
    const message = `task "${task}" panicked: ${messageOf(error)}`;
    return { kind: "panic", message, error: null } as const;
  }
  const own: unknown = JSON.parse(JSON.stringify(error.error ?? null));
  return { kind: "error", message: error.message, error: own } as const;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns a length of time as the plugin writes it. */
function lengthOf(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
