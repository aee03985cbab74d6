import { invoke } from "@tauri-apps/api/core";
import { tasks } from "./client";
import type { Measured } from "./figures";

import { show } from "./screen";

const ROUNDS = 20;
/** How often each round does it, one after the other. */
const TIMES = 100;

/** Measures the time of one start or call, in milliseconds, for each round. */
export async function start(): Promise<Measured> {
  let answered = 0;
  let ended = 0;
  const ways = {
    taskMs: async () => {
      const task = await tasks.start("bench-empty");
      answered += 1;
      if (task.status === "completed") ended += 1;
      await task.result;
    },
    invokeMs: () => invoke("empty_invoke"),
    mainThreadMs: () => invoke("empty_invoke_main"),
  };
  const measured: { [way in keyof typeof ways]: number[] } = {
    taskMs: [],
    invokeMs: [],
    mainThreadMs: [],
  };
  const forth = Object.keys(ways) as (keyof typeof ways)[];
  // A first run of each, not counted, warms up the compilers.
  for (const way of forth) await time(ways[way]);
  for (let round = 0; round < ROUNDS; round += 1) {
    show({ state: `round ${round + 1} of ${ROUNDS}` });
    // Every second round is in reverse order, so that the same one doesn't always come first.
    const order = round % 2 === 0 ? forth : [...forth].reverse();
    for (const way of order) measured[way].push(await time(ways[way]));
  }
  // The share of tasks whose end came with the answer to the start, without a message of its own.
  return { ...measured, endedInAnswer: [ended / answered] };
}

async function time(way: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  for (let n = 0; n < TIMES; n += 1) await way();
  return (performance.now() - begin) / TIMES;
}
