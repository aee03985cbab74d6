import { Channel, invoke } from "@tauri-apps/api/core";
import { watchProcesses } from "./app";
import { tasks } from "./client";
import { add, cost, type Measured } from "./figures";
import { settle, watchFrames } from "./frames";

import { show } from "./screen";

const MIB = 1 << 20;
/** The number of chunks, of 1 MiB each. */
const CHUNKS = 1_024;
/** The distance between the marks in a chunk: see src-tauri/src/bench/bytes.rs. */
const MARK = 1 << 12;

export async function bytes(): Promise<Measured> {
  const measured: Measured = {};
  // In this order, a machine that gets slower over time affects both ways equally.
  for (const way of ["bytes", "channel", "channel", "bytes"] as const) {
    await measure(measured, way, way === "bytes" ? throughBytes : throughChannel);
  }
  await measure(measured, "answers", throughAnswers);
  return measured;
}

type Way = (page: Page) => Promise<void>;

async function throughBytes(page: Page): Promise<void> {
  const task = await tasks.start("bench-bytes", CHUNKS);
  for await (const chunk of task.bytes()) page.take(chunk);
}

async function throughChannel(page: Page): Promise<void> {
  const channel = new Channel<ArrayBuffer>((chunk) => page.take(new Uint8Array(chunk)));
  await invoke("send_bytes", { channel, chunks: CHUNKS });
  await page.full;
}

/** Requests one chunk after the other, each while the previous one is still on its way. */
async function throughAnswers(page: Page): Promise<void> {
  const ask = (n: number): Promise<ArrayBuffer> => invoke("answer_bytes", { n });
  let next = ask(0);
  for (let n = 0; n < CHUNKS; n += 1) {
    const asked = next;
    if (n + 1 < CHUNKS) next = ask(n + 1);
    page.take(new Uint8Array(await asked));
  }
}

async function measure(measured: Measured, name: string, way: Way): Promise<void> {
  const page = new Page();
  show({ state: name, screen: "" });
  await settle();
  const processes = await watchProcesses();
  const frames = await watchFrames(() => page.draw(name));
  const begin = performance.now();
  await way(page);
  const seconds = (performance.now() - begin) / 1_000;
  page.check();
  // A megabyte is 1,000,000 bytes.
  const megabytes = (CHUNKS * MIB) / 1e6;
  add(measured, name, { MbPerS: megabytes / seconds, ...cost(await frames(), await processes()) });
}

/** Takes and checks the stream as it comes. */
class Page {
  #taken = 0;
  #fill: () => void = () => {};
  #spoil: (error: Error) => void = () => {};
  /** Resolves when all bytes have come, and rejects if a byte is wrong. */
  readonly full = new Promise<void>((resolve, reject) => {
    this.#fill = resolve;
    this.#spoil = reject;
  });

  take(chunk: Uint8Array): void {
    const end = this.#taken + chunk.length;
    let place = Math.ceil(this.#taken / MARK) * MARK;
    for (; place < end; place += MARK) {
      const mark = (place / MARK + Math.floor(place / MIB)) % 256;
      if (chunk[place - this.#taken] === mark) continue;
      const error = new Error(`the byte at ${place} should be ${mark}`);
      // An error that is thrown in a script that Rust evaluates is reported nowhere.
      this.#spoil(error);
      throw error;
    }
    this.#taken = end;
    if (this.#taken === CHUNKS * MIB) this.#fill();
  }

  draw(name: string): void {
    show({ state: `${name}: ${(this.#taken / MIB).toFixed(1)} MiB` });
  }

  check(): void {
    if (this.#taken !== CHUNKS * MIB) throw new Error(`${this.#taken} bytes of ${CHUNKS * MIB}`);
  }
}
