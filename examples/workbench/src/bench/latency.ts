import { Channel, invoke } from "@tauri-apps/api/core";
import { note } from "./app";
import { type Pulse, type Pulses, tasks } from "./client";
import type { Measured } from "./figures";

import { show } from "./screen";

const SLOW: Pulses = { rate: 10, count: 400 };
const FAST: Pulses = { rate: 1_000, count: 1_500 };
const FAST_ORDER = ["items", "channel", "channel", "items", "items", "channel", "channel", "items"];
/** How far apart the clocks of Rust and of the page may be, in microseconds. */
const TOLERANCE = 100;
const EXCHANGES = 200;

/** Measures the time from sending to handling of each item, in microseconds. */
export async function latency(): Promise<Measured> {
  const measured: Measured = { items10: [], channel10: [], items1000: [], channel1000: [] };
  if (!self.crossOriginIsolated)
    throw new Error("the page's clock has steps of 1 ms: it is not isolated");
  await compareClocks();
  // Both at once, so that both run under the same conditions: at ten per second, they don't disturb each other.
  show({ state: `${SLOW.rate} a second` });
  const [items, messages] = await Promise.all([throughItems(SLOW), throughChannel(SLOW)]);
  measured["items10"] = items;
  measured["channel10"] = messages;
  for (const [round, way] of FAST_ORDER.entries()) {
    show({ state: `${FAST.rate} a second, round ${round + 1} of ${FAST_ORDER.length}` });
    const times = await (way === "items" ? throughItems(FAST) : throughChannel(FAST));
    measured[`${way}1000`]?.push(...times);
  }
  await compareClocks();
  return measured;
}

/** Microseconds since 1970, as in Rust. */
const now = (): number => (performance.timeOrigin + performance.now()) * 1_000;

async function throughItems(pulses: Pulses): Promise<number[]> {
  const log = createLog();
  const task = await tasks.start("bench-latency", pulses);
  for await (const pulse of task.items()) log.take(pulse);
  return log.all(pulses.count);
}

async function throughChannel(pulses: Pulses): Promise<number[]> {
  const log = createLog();
  const channel = new Channel<Pulse>(log.take);
  await invoke("send_pulses", { channel, pulses });
  // The answer may overtake the last message.
  for (let n = 0; n < EXCHANGES && log.length < pulses.count; n += 1) await invoke("clock");
  return log.all(pulses.count);
}

function createLog() {
  const times: number[] = [];
  let disorder: string | undefined;
  return {
    take({ number, sent }: Pulse): void {
      const time = now() - sent;
      if (number !== times.length) disorder ??= `item ${number} came as number ${times.length}`;
      times.push(time);
    },
    all(count: number): number[] {
      if (disorder !== undefined) throw new Error(disorder);
      if (times.length !== count) throw new Error(`${times.length} items instead of ${count}`);
      return times;
    },
    get length() {
      return times.length;
    },
  };
}

/**
 * Checks that the page's clock has no offset. Rust and the page read the same clock of the machine, so Rust's time must lie
 * between the times that the page reads before and after it. Each exchange narrows down the possible offset.
 */
async function compareClocks(): Promise<void> {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  for (let n = 0; n < EXCHANGES; n += 1) {
    const before = now();
    const rust = await invoke<number>("clock");
    const after = now();
    least = Math.max(least, before - rust);
    most = Math.min(most, after - rust);
  }
  void note(`the page's clock is between ${least.toFixed(0)} and ${most.toFixed(0)} µs ahead`);
  if (least > TOLERANCE || most < -TOLERANCE) throw new Error("the clocks of Rust and page differ");
}
