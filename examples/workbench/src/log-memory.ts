// What of the open logs outlives a reload of the page.

const KEY = "workbench.logs";

/** A log, as far as it was read. */
export interface Remembered {
  /** The task. */
  readonly id: string;
  readonly path: string;
  /** Where to go on: the number of the first item that is not in the log. */
  readonly position: number;
  readonly paused: boolean;
  /** Its last lines, so that it isn't empty at first. */
  readonly lines: readonly string[];
}

/** All open logs, the one that is shown last. */
export function remember(logs: readonly Remembered[]): void {
  sessionStorage.setItem(KEY, JSON.stringify(logs));
}

export function remembered(): Remembered[] {
  // Only this page writes it.
  return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Remembered[];
}
