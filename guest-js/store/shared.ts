import type { Page } from "../core/client/page.js";
import { currentPage } from "../core/client/shared-page.js";
import type { TaskError } from "../core/errors/task-error.js";
import { type Cell, createCell } from "./cell.js";
import type { Readable } from "./readable.js";

/** After how long, in milliseconds, what couldn't reach the plugin is opened again. */
const RETRY_MS = 5_000;

/** What stores have in common that show the same to all who ask for the same. */
export interface Shared<S> {
  /** The value before anything is known. */
  readonly initial: S;
  /**
   * Opens what the value comes from, until the signal is aborted. `set` does nothing from then on. `last` is the value so far, which is
   * another one than `initial` if it is opened again after a failure.
   */
  open(set: (state: S) => void, signal: AbortSignal, last: S): Promise<unknown>;
  /** Returns the value after `open` has rejected. `last` is the value before. */
  failed(error: TaskError, last: S): S;
}

/** What has subscribers, or had some just now. A store that is only made, as by a render that comes to nothing, is not kept. */
let cells = new Map<string, Cell<unknown>>();
/** The page that they follow, once there is one. */
let page: Page | undefined;

/** Returns what is open in this page, which may be another one than before: a mock can replace it. */
function openCells(): Map<string, Cell<unknown>> {
  if (page && page !== currentPage()) {
    cells = new Map();
    page = undefined;
  }
  return cells;
}

/** Returns a store that shares what it shows with all others of the same key. */
export function sharedStore<S>(key: string, shared: Shared<S>): Readable<S> {
  return {
    subscribe(onChange) {
      const all = openCells();
      let cell = all.get(key);
      if (!cell) {
        cell = openCell(shared, () => all.delete(key)) as Cell<unknown>;
        all.set(key, cell);
        page = currentPage();
      }
      return cell.subscribe(onChange);
    },
    getSnapshot() {
      const cell = openCells().get(key) as Cell<S> | undefined;
      return cell ? cell.get() : shared.initial;
    },
    getServerSnapshot: () => shared.initial,
  };
}

function openCell<S>({ initial, open, failed }: Shared<S>, closed: () => void): Cell<S> {
  const closer = new AbortController();
  const { signal } = closer;
  let retry: ReturnType<typeof setTimeout>;

  const set = (state: S) => {
    if (!signal.aborted) cell.set(state);
  };
  const run = () => {
    open(set, signal, cell.get()).catch((error: TaskError) => {
      if (signal.aborted) return;
      set(failed(error, cell.get()));
      if (error.kind === "ipc") retry = setTimeout(run, RETRY_MS);
    });
  };
  const cell = createCell(initial, run, () => {
    clearTimeout(retry);
    closer.abort();
    closed();
  });
  return cell;
}
