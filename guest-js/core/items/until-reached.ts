import { toTaskError } from "../errors/from-rejection.js";

/** The pauses before a call that did not reach the plugin is repeated. */
const RETRY_MS = [100, 400, 1_600];

/** Repeats a call that did not reach the plugin, a few times. */
export async function untilReached<T>(call: () => Promise<T>): Promise<T> {
  for (const delay of RETRY_MS) {
    try {
      return await call();
    } catch (rejection) {
      const error = toTaskError(rejection);
      if (error.kind !== "ipc") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return call();
}
