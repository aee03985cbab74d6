import type { PaceOptions } from "../types/options.js";
import { checkWholeNumber } from "./whole-number.js";

/** The longest time between two updates that the plugin accepts, in milliseconds: an hour. */
const SLOWEST_MS = 3_600_000;

/** Returns the shortest time between two updates, in milliseconds; 0 for one in each frame. Throws if it is out of range. */
export function toPace({ everyMs = 0 }: PaceOptions = {}): number {
  checkWholeNumber("everyMs", everyMs, 0, SLOWEST_MS);
  return everyMs;
}
