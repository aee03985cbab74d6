/** Loads a page with its stores, which talks to the plugin of the mock. */
import { vi } from "vitest";
import { loadPage } from "../../core/tests/load-page.js";
import type { Readable } from "../readable.js";

export async function loadStores() {
  const page = await loadPage();
  // The stores must come from the same load as the client.
  return { ...page, stores: await import("../index.js") };
}

export type LoadedStores = Awaited<ReturnType<typeof loadStores>>;

/** Subscribes to a store, and collects its values; the first one is what it had before. */
export function collect<S>(store: Readable<S>): { readonly seen: S[]; stop(): void } {
  const seen = [store.getSnapshot()];
  const stop = store.subscribe(() => {
    const state = store.getSnapshot();
    if (state !== seen.at(-1)) seen.push(state);
  });
  return { seen, stop };
}

/** Lets pass for how long a store stays open without a subscriber. */
export async function passGrace(): Promise<void> {
  await vi.advanceTimersByTimeAsync(100);
}
