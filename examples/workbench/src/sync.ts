import type { ScheduleSnapshot } from "tauri-plugin-tasks-api";
import { tasks } from "./client";
import { find, setText } from "./dom";
import { syncLast, syncNext } from "./sentences";

/** The name of the schedule; its kind has the same. */
const NAME = "sync";
/** The countdown goes by whole seconds. */
const TICK_MS = 500;
/** While a run goes on, it is asked for again after this time. */
const REPEAT_MS = 300;
/** What was due this long ago has begun, or was skipped. */
const DUE_MS = 300;

/** The schedule that copies the watched folder: its next run counts down. */
export function setUpSync(panel: HTMLElement, tell: (error: unknown) => void): void {
  const part = (name: string): HTMLElement => find(panel, `[data-part=${name}]`, HTMLElement);
  const run = find(panel, "[data-part=run]", HTMLButtonElement);
  const pause = find(panel, "[data-part=pause]", HTMLButtonElement);
  let known: ScheduleSnapshot | undefined;
  let timer: number | undefined;

  function show(): void {
    if (known === undefined) {
      return;
    }
    setText(part("next"), syncNext(known));
    setText(part("last"), syncLast(known.lastRun));
    setText(pause, known.paused ? "Resume" : "Pause");
    run.disabled = known.running > 0;
  }

  async function refresh(): Promise<void> {
    window.clearTimeout(timer);
    known = (await tasks.schedules()).find(({ name }) => name === NAME);
    show();
    if (known === undefined) {
      return;
    }
    const { running, nextRunAt } = known;
    if (running > 0) {
      refreshIn(REPEAT_MS);
    } else if (nextRunAt !== null) {
      refreshIn(Math.max(REPEAT_MS, nextRunAt - Date.now() + DUE_MS));
    }
  }

  function refreshIn(ms: number): void {
    timer = window.setTimeout(() => void refresh().catch(tell), ms);
  }

  const after = (done: Promise<unknown>): void => {
    done.then(refresh).catch(tell);
  };
  run.addEventListener("click", () => after(tasks.trigger(NAME)));
  pause.addEventListener("click", () =>
    after(known?.paused === true ? tasks.resumeSchedule(NAME) : tasks.pauseSchedule(NAME)),
  );
  window.addEventListener("focus", () => after(Promise.resolve())); // another window may have paused it
  window.setInterval(show, TICK_MS);
  void refresh().catch(tell);
}
