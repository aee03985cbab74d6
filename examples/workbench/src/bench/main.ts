import { done, failed, rows } from "./app";
import { bytes } from "./bytes";
import { crowd } from "./crowd";
import type { Measured } from "./figures";
import { flood } from "./flood";
import { idle } from "./idle";
import { latency } from "./latency";
import { lines } from "./lines";
import { show } from "./screen";
import { start } from "./start";

const ROWS: { readonly [row: string]: () => Promise<Measured> } = {
  lines,
  bytes,
  flood,
  crowd,
  start,
  latency,
};

async function run(): Promise<void> {
  if (document.visibilityState !== "visible") throw new Error("the window is hidden");
  const measured: { [row: string]: Measured } = {};
  for (const row of await rows()) {
    const measure = ROWS[row];
    if (!measure) throw new Error(`there is no row "${row}", only ${Object.keys(ROWS).join(", ")}`);
    show({ row, state: "idle" });
    measured[row] = { ...(await idle()), ...(await measure()) };
  }
  await done(JSON.stringify(measured));
}

// A row that loses or reorders something has no valid measurement, so every error ends the run.
const fail = (error: unknown): void => {
  const words = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
  void failed(words);
};

addEventListener("error", (event) => fail(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason));
run().catch(fail);
