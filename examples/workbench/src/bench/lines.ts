import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { watchProcesses } from "./app";
import { tasks } from "./client";
import { add, cost, type Measured } from "./figures";
import { settle, watchFrames } from "./frames";

import { show } from "./screen";

const LINES = 1_000_000;
/** As many lines as the ways in the tutorials can handle. */
const FEWER_LINES = 300_000;
const ROUNDS = 3;
/** How many lines, the newest ones, each frame shows. */
const SHOWN = 10;

export async function lines(): Promise<Measured> {
  const measured: Measured = {};
  // The ways that need little memory come first: WebKit is slow to release what another way has used.
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure(measured, "items", LINES, throughItems);
    await measure(measured, "chunks", LINES, throughChunks);
  }
  await measure(measured, "channel", FEWER_LINES, throughChannel);
  await measure(measured, "emit", FEWER_LINES, throughEvents);
  return measured;
}

type Way = (count: number, page: Page) => Promise<void>;

async function throughItems(count: number, page: Page): Promise<void> {
  const task = await tasks.start("bench-lines", count);
  for await (const line of task.items()) page.take(line);
}

async function throughChunks(count: number, page: Page): Promise<void> {
  const task = await tasks.start("bench-lines", count);
  for await (const chunk of task.chunks()) for (const line of chunk) page.take(line);
}

async function throughChannel(count: number, page: Page): Promise<void> {
  const channel = new Channel<string>((line) => page.take(line));
  await invoke("send_lines", { channel, count });
  await page.full;
}

async function throughEvents(count: number, page: Page): Promise<void> {
  const unlisten = await listen<string>("line", ({ payload }) => page.take(payload));
  await invoke("emit_lines", { count });
  await page.full;
  unlisten();
}

async function measure(measured: Measured, name: string, count: number, way: Way): Promise<void> {
  const page = new Page(count);
  show({ state: name, screen: "" });
  await settle();
  const processes = await watchProcesses();
  const frames = await watchFrames(() => page.draw(name));
  const begin = performance.now();
  await way(count, page);
  const seconds = (performance.now() - begin) / 1_000;
  page.check();
  add(measured, name, { PerS: count / seconds, ...cost(await frames(), await processes()) });
}

/** Takes and checks the lines as they come, and shows the newest. */
class Page {
  readonly #count: number;
  readonly #newest: string[] = [];
  #taken = 0;
  #fill: () => void = () => {};
  #spoil: (error: Error) => void = () => {};
  /** Resolves when all lines have come, and rejects if a line is wrong. */
  readonly full = new Promise<void>((resolve, reject) => {
    this.#fill = resolve;
    this.#spoil = reject;
  });

  constructor(count: number) {
    this.#count = count;
  }

  take(line: string): void {
    const n = this.#taken;
    // Checks the last digit of each line and the whole of some: at little cost, this notices lost, repeated and reordered lines.
    if (line.charCodeAt(7) - 48 !== n % 10 || (n % 997 === 0 && line !== expected(n))) {
      const error = new Error(`instead of line ${n} this came: ${line}`);
      // An error that is thrown in a script that Rust evaluates is reported nowhere.
      this.#spoil(error);
      throw error;
    }
    this.#newest[n % SHOWN] = line;
    this.#taken = n + 1;
    if (this.#taken === this.#count) this.#fill();
  }

  draw(name: string): void {
    const newest = this.#newest.map((_, row) => this.#newest[(this.#taken + row) % SHOWN]);
    show({ state: `${name}: ${this.#taken} lines`, screen: newest.join("\n") });
  }

  check(): void {
    if (this.#taken !== this.#count)
      throw new Error(`${this.#taken} lines instead of ${this.#count}`);
  }
}

function expected(n: number): string {
  const number = String(n).padStart(8, "0");
  return `${number} 2026-03-14T15:09:26Z INFO worker-7 copied a chunk of 4 KiB to an archive in 12 ms`;
}
