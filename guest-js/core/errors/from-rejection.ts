import { fromTauri, insideTauri } from "./from-tauri.js";
import {
  OutcomeExpiredError,
  TaskError,
  TaskInputError,
  TaskKeyTakenError,
  TaskNotFoundError,
  TaskPermissionError,
  TaskQueueFullError,
  TaskQuotaError,
  TaskReaderGoneError,
} from "./task-error.js";

/** Converts what a command rejected with to a {@link TaskError}. `task` is the kind to name in hints. */
export function toTaskError(rejection: unknown, task?: string): TaskError {
  if (rejection instanceof TaskError) return rejection;
  if (isWireError(rejection)) return fromWire(rejection.kind, rejection.message, rejection.data);
  if (typeof rejection === "string") return fromTauri(rejection, task);
  const text = rejection instanceof Error ? rejection.message : String(rejection);
  const hint = insideTauri() ? "" : " This page doesn't run in a Tauri window.";
  return new TaskError("ipc", `The call didn't reach the tasks plugin: ${text}.${hint}`, null, {
    cause: rejection,
  });
}

/** Throws the {@link TaskError} for a rejection. Pass it to the `catch` of a command. */
export function rethrow(rejection: unknown): never {
  throw toTaskError(rejection);
}

function isWireError(
  value: unknown,
): value is { readonly kind: string; readonly message: string; readonly data?: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    typeof value.kind === "string" &&
    "message" in value &&
    typeof value.message === "string"
  );
}

function fromWire(kind: string, message: string, data: unknown = null): TaskError {
  switch (kind) {
    case "notAllowed":
      return new TaskPermissionError(kind, message, data);
    case "invalidInput":
      return new TaskInputError(message, textOf(data, "path") ?? "", data);
    case "queueFull":
      return new TaskQueueFullError(message, Number(fieldOf(data, "limit")), data);
    case "quotaExceeded": {
      const limit = Number(fieldOf(data, "limit"));
      return new TaskQuotaError(message, textOf(data, "quota") ?? "", limit, data);
    }
    case "readerGone": {
      // Without it, the reading was lost for another reason than that it did not ask.
      const missed = fieldOf(data, "missed");
      if (typeof missed !== "number") return new TaskError(kind, message, data);
      return new TaskReaderGoneError(message, missed, data);
    }
    case "keyTaken":
      return new TaskKeyTakenError(message, textOf(data, "id"), data);
    case "notFound":
      return new TaskNotFoundError(message, data);
    case "outcomeExpired":
      return new OutcomeExpiredError(message, data);
    default:
      return new TaskError(kind, message, data);
  }
}

function fieldOf(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined;
}

function textOf(data: unknown, name: string): string | null {
  const text = fieldOf(data, name);
  return typeof text === "string" ? text : null;
}
