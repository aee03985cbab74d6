import type { ScheduleSnapshot } from "tauri-plugin-tasks-api";
import { tasks } from "./client";
import { find, setText } from "./dom";
import { syncLast, syncNext } from "./sentences";

/** The name of the schedule, and of its kind. */
const NAME = "sync";
/** How often the countdown is updated: often enough to show every second. */
const TICK_MS = 500;
/** The time between two requests for the schedule's state while a run goes on; also the shortest time. */
const REPEAT_MS = 300;
/** The longest time between two requests. */
const LONGEST_MS = 10_000;
/** A run that was due this long ago has started, or was skipped. */
const DUE_MS = 300;

/** Shows the schedule that copies the watched folder, with a countdown to its next run. */
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
    try {
      known = (await tasks.schedules()).find(({ name }) => name === NAME);
      show();
    } finally {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void refresh().catch(tell), untilNextLook());
    }
  }

  /** How long to wait until the next request. It has an upper bound, because another window may pause or trigger the schedule. */
  function untilNextLook(): number {
    if (known !== undefined && known.running > 0) {
      return REPEAT_MS;
    }
    if (known === undefined || known.nextRunAt === null) {
      return LONGEST_MS;
    }
    const due = known.nextRunAt - Date.now() + DUE_MS;
    return Math.min(Math.max(REPEAT_MS, due), LONGEST_MS);
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
