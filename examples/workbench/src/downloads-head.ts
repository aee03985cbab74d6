import { tasks } from "./client";
import { setText } from "./dom";
import { inAllWindows } from "./sentences";

/** The shortest time between two requests for the counts. */
const PAUSE_MS = 250;
/** While downloads are live, the counts are requested this often: this page's list lacks the tasks of other windows. */
const REPEAT_MS = 1000;

export interface HeadParts {
  readonly limit: HTMLInputElement;
  readonly counts: HTMLElement;
}

/**
 * Shows how many downloads run and wait in all windows, and how many may run at once.
 *
 * @returns A function to call when the list has changed.
 */
export function setUpDownloadsHead(
  { limit, counts }: HeadParts,
  tell: (error: unknown) => void,
): () => void {
  let timer: number | undefined;
  let due = 0;

  /** Requests the counts again in at most `ms` milliseconds. */
  function refreshIn(ms: number): void {
    const at = Date.now() + ms;
    if (timer !== undefined && due <= at) {
      return;
    }
    window.clearTimeout(timer);
    due = at;
    timer = window.setTimeout(() => {
      timer = undefined;
      void refresh().catch(tell);
    }, ms);
  }

  async function refresh(): Promise<void> {
    const downloads = (await tasks.counts()).find(({ task }) => task === "download");
    if (downloads === undefined) {
      return;
    }
    setText(counts, inAllWindows(downloads));
    if (document.activeElement !== limit) {
      limit.value = downloads.limit === null ? "" : String(downloads.limit);
    }
    if (downloads.running + downloads.queued + downloads.retrying > 0) {
      refreshIn(REPEAT_MS);
    }
  }

  // A user who empties the field is about to type another number, not to remove the limit.
  limit.addEventListener("input", () => {
    if (limit.value !== "" && limit.validity.valid) {
      const most = limit.valueAsNumber;
      tasks.setLimit({ type: "task", name: "download" }, most).then(() => refreshIn(0), tell);
    }
  });
  limit.addEventListener("blur", () => refreshIn(0));
  window.addEventListener("focus", () => refreshIn(0)); // another window may have changed the limit

  return () => refreshIn(PAUSE_MS);
}
