import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { watchProcesses } from "./app";
import { tasks } from "./client";
import { add, cost, type Measured } from "./figures";
import { settle, watchFrames } from "./frames";

import { watchMessages } from "./messages";
import { show } from "./screen";

const TASKS = 10_000;
const WATCHED_MS = 5_000;
/** Nearly as many tasks as the tutorials' way of reporting can handle. */
const FEWER_TASKS = 1_000;
/** How many reports each of those makes, at ten per second. */
const REPORTS = 30;
/** How many tasks are on the screen. */
const SHOWN = 30;
/** The last reports of all tasks must be in the list after this time. */
const QUIET_MS = 5_000;

export async function crowd(): Promise<Measured> {
  const measured: Measured = {};
  await asList(measured);
  await asEvents(measured);
  return measured;
}

interface Row {
  readonly name: string;
  readonly completed: number;
}

/** Shows the first rows of the list, and the sum of all its rows. */
class List {
  #rows: readonly Row[] = [];
  #isDrawn = true;

  set rows(rows: readonly Row[]) {
    this.#rows = rows;
    this.#isDrawn = false;
  }

  get length(): number {
    return this.#rows.length;
  }

  get sum(): number {
    return this.#rows.reduce((sum, { completed }) => sum + completed, 0);
  }

  draw(name: string): void {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    const shown = this.#rows.slice(0, SHOWN).map((row) => `${row.name}  ${row.completed}`);
    show({ state: `${name}: ${this.length} tasks, ${this.sum} reports`, screen: shown.join("\n") });
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function asList(measured: Measured): Promise<void> {
  const list = new List();
  let calls = 0;
  const stop = await tasks.watch({ task: "bench-crowd" }, (snapshots) => {
    calls += 1;
    list.rows = snapshots.map(({ id, progress }) => ({ name: id, completed: progress.completed }));
  });
  const quit = await watchFrames(() => list.draw("list"));
  await invoke("crowd_begin", { tasks: TASKS });
  await until(() => list.length === TASKS, `${TASKS} tasks in the list`, list);
  await quit();

  const processes = await watchProcesses();
  const messages = watchMessages();
  const frames = await watchFrames(() => list.draw("list"));
  const begin = performance.now();
  calls = 0;
  await wait(WATCHED_MS);
  const seconds = (performance.now() - begin) / 1_000;
  const { count, mostInASecond, states } = messages();
  const { appCpu, pageCpu, ...memory } = await processes();
  add(measured, "list", {
    ...cost(await frames(), { appCpu, pageCpu, ...memory }),
    AppPercent: (appCpu / seconds) * 100,
    PagePercent: (pageCpu / seconds) * 100,
    MessagesPerS: count / seconds,
    MostMessagesInASecond: mostInASecond,
    StatesPerS: states / seconds,
    CallsPerS: calls / seconds,
  });

  const stopped = performance.now();
  const reports = await invoke<number>("crowd_stop");
  await until(() => list.sum === reports, `${reports} reports in the list`, list);
  add(measured, "list", { LastSeenMs: performance.now() - stopped });
  stop();
  await invoke("crowd_end");
}

async function until(isSo: () => boolean, what: string, list: List): Promise<void> {
  const end = performance.now() + QUIET_MS * 2;
  while (!isSo()) {
    if (performance.now() > end) {
      throw new Error(`not yet ${what}: ${list.length} tasks, ${list.sum} reports`);
    }
    await settle();
  }
}

/** The way in the tutorials: an event for each report, and a map in the page. */
async function asEvents(measured: Measured): Promise<void> {
  const list = new List();
  const completed = new Map<number, number>();
  let heard = 0;
  const unlisten = await listen<{ id: number; completed: number }>("crowd", ({ payload }) => {
    completed.set(payload.id, payload.completed);
    heard += 1;
  });
  const expected = FEWER_TASKS * REPORTS;
  const processes = await watchProcesses();
  const frames = await watchFrames(() => {
    list.rows = [...completed].map(([id, done]) => ({ name: `task ${id}`, completed: done }));
    list.draw("events");
  });
  const begin = performance.now();
  await invoke("emit_crowd", { tasks: FEWER_TASKS, reports: REPORTS });
  await until(() => heard === expected, `${expected} events`, list);
  const seconds = (performance.now() - begin) / 1_000;
  const taken = await processes();
  add(measured, "events", {
    ...cost(await frames(), taken),
    AppPercent: (taken.appCpu / seconds) * 100,
    PagePercent: (taken.pageCpu / seconds) * 100,
    MessagesPerS: heard / seconds,
    Seconds: seconds,
  });
  unlisten();
}
