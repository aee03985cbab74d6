import { isUnanswered } from "../calls/late.js";
import { toTaskError } from "../errors/from-rejection.js";

/** The pause before each repeat of a call that did not reach the plugin, in milliseconds. */
const RETRY_MS = [100, 400, 1_600];

/** Makes a call, and repeats it a few times if it doesn't reach the plugin. One that is not answered in time has waited long enough. */
export async function untilReached<T>(call: () => Promise<T>): Promise<T> {
  for (const delay of RETRY_MS) {
    try {
      return await call();
    } catch (rejection) {
      const error = toTaskError(rejection);
      if (error.kind !== "ipc" || isUnanswered(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return call();
}
