/** The part of the plugin that knows how far a task has come. */
import type { Progress } from "../../core/ipc/bindings.js";

/** The progress of a task that has reported nothing. */
export function emptyProgress(): Progress {
  return {
    completed: 0,
    total: null,
    fraction: null,
    unit: "none",
    rate: null,
    etaMs: null,
    message: null,
    detail: null,
  };
}

/** How much is done, from 0 to 1, or `null` if that is not known. */
export function fractionOf({ completed, total }: Pick<Progress, "completed" | "total">) {
  if (total === null || total === 0 || completed > total) return null;
  const rounded = Math.round((completed / total) * 1e6) / 1e6;
  return completed < total ? Math.min(rounded, 0.999_999) : 1;
}
