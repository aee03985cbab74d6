import type { TaskHandle } from "tauri-plugin-tasks-api";
import { createBreak } from "./frame";
import { createLogLines, type LogLines } from "./log-lines";
import type { Remembered } from "./log-memory";
import { linesBefore, linesMissed } from "./sentences";
import { hasEnded } from "./status";
import type { Tasks } from "./tasks.gen";

export type TailTask = TaskHandle<Tasks["tail"]>;

/** How many lines are shown again after a reload. */
const LINES_AGAIN = 200;

/** The lines of a running tail, read only as fast as the page can keep its frame rate. */
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
  /** Ends the reading. Nobody else reads, so the tail is cancelled. */
  close(): void;
  /** Returns all that the page needs to continue after a reload; with `whole`, also the last lines. */
  remember(whole: boolean): Remembered;
}

export interface LogOptions {
  readonly task: TailTask;
  readonly path: string;
  /** What the page had read before a reload; `task` is attached from that position on. */
  readonly before?: Remembered | undefined;
  /** Called when something about the log has changed. */
  readonly changed: () => void;
  /** Called when the lines can't be read. */
  readonly failed: (error: unknown) => void;
}

export function openLog({ task, path, before, changed, failed }: LogOptions): Log {
  const lines = createLogLines();
  const chunks = task.chunks();
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
    for await (const chunk of chunks) {
      if (chunks.missed > missed) {
        lines.skip(chunks.missed - missed, linesMissed(chunks.missed - missed));
        missed = chunks.missed;
      }
      lines.append(chunk);
      // Update the position together with the lines, so that no line is lost or repeated whatever happens next.
      position = chunks.position;
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
      // `createFollow` reports how the task ended. Here only the lines matter.
      if (!hasEnded(task.snapshot)) {
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
      void chunks.return?.();
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
