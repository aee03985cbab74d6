import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { watchProcesses } from "./app";
import { type Flood, tasks } from "./client";
import { add, cost, type Measured } from "./figures";
import { settle, watchFrames } from "./frames";

import { watchMessages } from "./messages";
import { show } from "./screen";

const REPORTS = 10_000_000;
/** As many reports as the ways in the tutorials can handle. */
const FEWER_REPORTS = 100_000;
/** Ten million reports take too little time to count messages, so they are repeated for this long. */
const LONG_MS = 4_000;

export async function flood(): Promise<Measured> {
  const measured: Measured = {};
  await throughTask(measured, "once", { reports: REPORTS, forMs: 0, words: false });
  await throughTask(measured, "long", { reports: REPORTS, forMs: LONG_MS, words: false });
  await throughTask(measured, "words", { reports: REPORTS, forMs: 0, words: true });
  await measure(measured, "channel", throughChannel);
  await measure(measured, "emit", throughEvents);
  return measured;
}

interface Told {
  /** How many reports were made. */
  readonly made: number;
  /** How long they took, in nanoseconds. */
  readonly took: number;
}

async function throughTask(measured: Measured, name: string, input: Flood): Promise<void> {
  const messages = watchMessages();
  await measure(measured, name, async (seen) => {
    const task = await tasks.start("bench-flood", input);
    task.onProgress(({ completed }) => seen(completed));
    const { reports, nanoseconds } = await task.result;
    return { made: reports, took: nanoseconds };
  });
  const { count, mostInASecond } = messages();
  add(measured, name, { Messages: count, MostMessagesInASecond: mostInASecond });
}

type Report = { completed: number; total: number };

async function throughChannel(seen: (completed: number) => void): Promise<Told> {
  return untilLast(async (report) => {
    const channel = new Channel<Report>((message) => report(message, seen));
    return invoke("send_reports", { channel, reports: FEWER_REPORTS });
  });
}

async function throughEvents(seen: (completed: number) => void): Promise<Told> {
  let unlisten = () => {};
  const told = await untilLast(async (report) => {
    unlisten = await listen<Report>("report", ({ payload }) => report(payload, seen));
    return invoke("emit_reports", { reports: FEWER_REPORTS });
  });
  unlisten();
  return told;
}

/** Sends the reports, and waits until the last one has arrived. */
async function untilLast(
  send: (report: (message: Report, seen: (completed: number) => void) => void) => Promise<number>,
): Promise<Told> {
  let last = () => {};
  const arrived = new Promise<void>((resolve) => {
    last = resolve;
  });
  const took = await send(({ completed, total }, seen) => {
    seen(completed);
    if (completed === total) last();
  });
  await arrived;
  return { made: FEWER_REPORTS, took };
}

async function measure(
  measured: Measured,
  name: string,
  way: (seen: (completed: number) => void) => Promise<Told>,
): Promise<void> {
  let newest = 0;
  let calls = 0;
  await settle();
  const processes = await watchProcesses();
  const frames = await watchFrames(() => show({ state: `${name}: ${newest}` }));
  const begin = performance.now();
  const { made, took } = await way((completed) => {
    if (completed < newest) throw new Error(`${completed} was reported after ${newest}`);
    newest = completed;
    calls += 1;
  });
  const seconds = (performance.now() - begin) / 1_000;
  const lastSeen = newest === made ? 1 : 0;
  const figures = {
    Reports: made,
    NsEach: took / made,
    Seconds: seconds,
    Calls: calls,
    LastSeen: lastSeen,
  };
  add(measured, name, { ...figures, ...cost(await frames(), await processes()) });
}
