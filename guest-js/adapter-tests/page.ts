/** The page of one case: what is loaded for it, and what cases do with it. */
import { expect } from "vitest";
import { type Backend, FRAME_MS, loadBackend } from "./backend.js";
import type { Harness, LoadHarness, Mounted, Shown } from "./harness.js";

export let backend: Backend;
export let harness: Harness;

export async function loadPage(load: LoadHarness): Promise<void> {
  backend = await loadBackend();
  harness = await load(backend.tasks);
}

export function unloadPage(): void {
  harness.cleanUp();
  backend.unload();
}

/** Mounts a component, and returns when it has rendered what comes at once. */
export async function mount(shown: Shown): Promise<Mounted> {
  const mounted = await harness.mount(shown);
  await pass(0);
  return mounted;
}

export async function act(change: () => unknown): Promise<void> {
  await harness.act(async () => {
    await change();
  });
}

export async function pass(ms?: number): Promise<void> {
  await harness.act(() => backend.advance(ms));
}

/** Starts a task by what is shown, and returns it when that has rendered. */
export async function started(shown: Mounted): Promise<{ readonly id: string }> {
  let task = { id: "" };
  await act(async () => {
    task = await shown.controls().start();
  });
  await pass();
  return task;
}

/** Returns a handle, without following the task by it. */
export async function attached(name: "tick" | "tail", id: string) {
  const task = await backend.tasks.attach(name, id);
  task.detach();
  return task;
}

/** Returns what is kept when nothing is mounted. The session is open. */
export async function keptAtRest() {
  await backend.tasks.list();
  return backend.kept();
}

/** Makes 1,000 changes in a second, each of which may render by itself. */
export async function expectFewRenders(
  shown: Mounted,
  change: (count: number) => void,
): Promise<void> {
  const before = shown.renders();
  for (let count = 1; count <= 1_000; count += 1) {
    change(count);
    await pass(1);
  }
  const renders = shown.renders() - before;
  await pass(2 * FRAME_MS);
  expect(renders).toBeLessThanOrEqual(60);
  expect(renders).toBeGreaterThan(20);
}
