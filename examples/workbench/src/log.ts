import type { TaskHandle } from "tauri-plugin-tasks-api";
import { createBreak } from "./frame";
import { createLogLines, type LogLines } from "./log-lines";
import type { Remembered } from "./log-memory";
import { linesBefore, linesMissed } from "./sentences";
import { isFinal } from "./status";
import type { Tasks } from "./tasks.gen";

export type TailTask = TaskHandle<Tasks["tail"]>;

/** Lines that are shown again after a reload. */
const LINES_AGAIN = 200;

/** The lines of a running tail, read as fast as this page can keep its frames. */
export interface Log {
  readonly task: TailTask;
  readonly path: string;
  readonly lines: LogLines;
  readonly paused: boolean;
  /** Whether there will be no more lines. */
  readonly over: boolean;
  /** Stops reading, so that the tail has to wait as soon as its buffer is full. */
  pause(): void;
  resume(): void;
  /** Ends the reading. Nobody else reads, so that the tail is cancelled. */
  close(): void;
  /** All that a page needs to go on with it; `whole`: with its last lines. */
  remember(whole: boolean): Remembered;
}

export interface LogOptions {
  readonly task: TailTask;
  readonly path: string;
  /** What the page read before it was loaded anew; the task was attached to from there on. */
  readonly before?: Remembered | undefined;
  /** Something about the log is different. */
  readonly changed: () => void;
  /** The lines can't be read. */
  readonly failed: (error: unknown) => void;
}

export function openLog({ task, path, before, changed, failed }: LogOptions): Log {
  const lines = createLogLines();
  const batches = task.batches();
  const takeBreak = createBreak();
  let position = before?.position ?? 0;
  let paused = before?.paused ?? false;
  let over = false;
  let resumed: (() => void) | undefined;

  if (before !== undefined && before.position > 0) {
    const gone = before.position - before.lines.length;
    if (gone > 0) {
      lines.skip(gone, linesBefore(gone));
    }
    lines.append(before.lines);
  }

  async function read(): Promise<void> {
    let missed = 0;
    for await (const batch of batches) {
      if (batches.missed > missed) {
        lines.skip(batches.missed - missed, linesMissed(batches.missed - missed));
        missed = batches.missed;
      }
      lines.append(batch);
      // In the same breath as the lines: whatever happens now, none is lost or comes twice.
      position = batches.position;
      changed();
      await takeBreak();
      while (paused) {
        await new Promise<void>((resolve) => {
          resumed = resolve;
        });
      }
    }
  }

  void (async () => {
    try {
      await read();
    } catch (error) {
      // How the task ended is told where it is followed; here only the lines count.
      if (!isFinal(task.status)) {
        failed(error);
      }
    }
    over = true;
    changed();
  })();

  return {
    task,
    path,
    lines,
    get paused() {
      return paused;
    },
    get over() {
      return over;
    },
    pause() {
      paused = true;
      changed();
    },
    resume() {
      paused = false;
      resumed?.();
      changed();
    },
    close() {
      paused = false;
      resumed?.();
      void batches.return?.();
    },
    remember: (whole) => ({
      id: task.id,
      path,
      position,
      paused,
      lines: whole ? lines.last(LINES_AGAIN) : [],
    }),
  };
}
