import { TaskNotFoundError } from "tauri-plugin-tasks-api";
import { tasks } from "./client";
import { type Log, openLog, type TailTask } from "./log";
import { type Remembered, remember, remembered } from "./log-memory";
import { createLogView } from "./log-view";

/** The logs of this page. All of them are read, and one is shown. */
export interface Logs {
  /** Opens the log of a tail that this page has started. */
  open(task: TailTask, path: string): void;
  /** Shows the log of a tail in the list, and opens it if it isn't open. */
  show(id: string, path: string): Promise<void>;
  /** Opens the logs again that were open before a reload. */
  restore(): Promise<void>;
}

export function createLogs(panel: HTMLElement, tell: (error: unknown) => void): Logs {
  /** The one that is shown is the last. */
  const logs = new Map<string, Log>();
  let shown: Log | undefined;
  /** Whether the page is being unloaded: lines that come in now are left for the next page to read. */
  let left = false;

  const view = createLogView(panel, {
    stop(log) {
      log.task.cancel().catch(tell);
    },
    pause(log, paused) {
      if (paused) {
        log.pause();
      } else {
        log.resume();
      }
      save();
    },
    close(log) {
      log.close();
      logs.delete(log.task.id);
      save();
      show([...logs.values()].at(-1));
    },
  });

  function save(whole = false): void {
    if (!left) remember([...logs.values()].map((log) => log.remember(whole)));
  }

  function show(log: Log | undefined): void {
    shown = log;
    if (log === undefined) {
      view.hide();
      return;
    }
    logs.delete(log.task.id);
    logs.set(log.task.id, log);
    save();
    view.show(log);
  }

  function open(task: TailTask, path: string, before?: Remembered): void {
    const log = openLog({
      task,
      path,
      before,
      changed() {
        if (logs.get(task.id) === log) {
          save();
        }
        if (shown === log) {
          view.update();
        }
      },
      failed: tell,
    });
    show(log);
  }

  // Save the last lines only now: writing them with each chunk would take longer than showing them.
  window.addEventListener("pagehide", () => {
    save(true);
    left = true;
  });
  window.addEventListener("pageshow", () => {
    left = false; // the page may only have been suspended
  });

  return {
    open,
    async show(id, path) {
      const log = logs.get(id);
      if (log !== undefined) {
        show(log);
        return;
      }
      open(await tasks.attach("tail", id), path);
    },
    async restore() {
      const all = remembered();
      const last = all.at(-1);
      if (last === undefined) {
        return;
      }
      view.open(last.path);
      for (const before of all) {
        try {
          const task = await tasks.attach("tail", before.id, { from: before.position });
          open(task, before.path, before);
        } catch (error) {
          // The app was restarted, or the tail was removed.
          if (!(error instanceof TaskNotFoundError)) tell(error);
        }
      }
      if (shown === undefined) {
        view.hide();
      }
    },
  };
}
