// The part of the open logs that survives a reload of the page.

const KEY = "workbench.logs";

/** A log, as far as it was read. */
export interface Remembered {
  /** The task. */
  readonly id: string;
  readonly path: string;
  /** Where to continue: the number of the first item that is not in the log. */
  readonly position: number;
  readonly paused: boolean;
  /** Its last lines, so that it isn't empty at first. */
  readonly lines: readonly string[];
}

/** All open logs. The last one is the one that is shown. */
export function remember(logs: readonly Remembered[]): void {
  sessionStorage.setItem(KEY, JSON.stringify(logs));
}

export function remembered(): Remembered[] {
  // Only this page writes it.
  return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Remembered[];
}
