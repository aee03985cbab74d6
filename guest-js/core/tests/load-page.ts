/** Loads pages that talk to the plugin of `mocks/`. The test makes each step of a task, runs each frame and can delay answers. */
import { vi } from "vitest";
import { connect, install } from "../../mocks/page/install.js";
import { createPlugin } from "../../mocks/plugin/plugin.js";
import type { SessionMessage } from "../ipc/bindings.js";

/** Tauri lets a page fetch what is larger, and evaluates the rest. */
const EVALUATED_LIMIT = 8_192;

/** What a page says that could be seen all the time. */
export const VISIBLE = { hidden: false, change: 0 };

/** The kinds of task in the tests. */
export type TestTasks = {
  download: {
    input: { url: string };
    detail: { file: string };
    item: never;
    output: string;
    error: { code: number };
  };
  tick: { input: null; detail: null; item: never; output: number; error: string };
  /** Emits items. */
  tail: { input: null; detail: null; item: string | number; output: number; error: string };
  /** Emits bytes. */
  cat: { input: null; detail: null; item: Uint8Array; output: number; error: string };
};

/** Runs everything that is due now, without letting time pass. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Creates a plugin whose every step is the test's. */
export function createTestPlugin() {
  const plugin = createPlugin({ page: "main", connect: connectAsTauri });
  plugin.limitChunks(1_000);
  let restore = () => {};
  return {
    ...plugin,

    /** Answers the page's calls in place of Tauri. */
    install(): void {
      restore = install({ page: "main", tasks: plugin.call });
    },

    uninstall(): void {
      plugin.stop();
      restore();
    },

    /** Runs one frame, and what it brings about. */
    async frame(): Promise<void> {
      await plugin.frame();
      await settle();
    },

    /** Probes the page, and waits for what that brings about. */
    async probe(session = plugin.session()): Promise<void> {
      await plugin.probe(session);
      await settle();
    },

    /** Pushes a message, and waits for what that brings about. */
    async push(message: SessionMessage, session = plugin.session()): Promise<void> {
      await plugin.push(message, session);
      await settle();
    },
  };
}

export type TestPlugin = ReturnType<typeof createTestPlugin>;

/**
 * Returns the plugin's end of a channel, which hands out what a page gets of this JSON. It is never closed, so that tests can send
 * what is under way when a session ends.
 */
function connectAsTauri(channel: unknown) {
  const wire = connect(channel);
  return {
    close: () => {},
    send(json: string) {
      const payload: unknown =
        json.length < EVALUATED_LIMIT ? new Function(`return ${json}`)() : JSON.parse(json);
      wire.send(JSON.stringify(payload));
    },
  };
}

/** Loads a page that talks to the plugin. */
export async function loadPage() {
  vi.useFakeTimers();
  const plugin = createTestPlugin();
  plugin.install();
  vi.resetModules();
  const api = await import("../index.js");
  const { page, PAGE_KEY } = await import("../client/shared-page.js");
  const keys = [PAGE_KEY];
  /** The page that is loaded next has another `globalThis`. */
  const leave = () => {
    for (const key of keys) Reflect.deleteProperty(globalThis, key);
  };
  return {
    api,
    plugin,
    page,
    tasks: api.createTasks<TestTasks>(),
    /** Reloads the page, and returns a client of the new page. */
    async reload() {
      plugin.unloadPage();
      vi.resetModules();
      const { createTasks } = await import("../index.js");
      // Not before: the code of the old page, which still runs here, would take the page that it finds for its own.
      leave();
      return createTasks<TestTasks>();
    },
    /** Loads another copy of the package in the same page, with a page object and so a session of its own. */
    async loadApart() {
      // A copy with another interface looks under another key.
      const real = Symbol.for;
      const other = (key: string) => real(key.includes("/page/") ? `${key}/apart` : key);
      const spy = vi.spyOn(Symbol, "for").mockImplementation(other);
      vi.resetModules();
      const { createTasks } = await import("../index.js");
      const { page: apart, PAGE_KEY: key } = await import("../client/shared-page.js");
      spy.mockRestore();
      keys.push(key);
      return {
        tasks: createTasks<TestTasks>(),
        kept: () => apart.tasks.size + apart.lists.size + apart.session.size,
      };
    },
    /** Returns how many entries the page keeps for the tasks and lists that it follows. */
    kept: () => page.tasks.size + page.lists.size + page.session.size,
    unload() {
      leave();
      plugin.uninstall();
      vi.useRealTimers();
    },
  };
}

export type LoadedPage = Awaited<ReturnType<typeof loadPage>>;

/** Returns how a promise has settled, or `pending` if it has not. */
export async function stateOf(
  promise: Promise<unknown>,
): Promise<{ pending: true } | { value: unknown } | { reason: unknown }> {
  let state: { pending: true } | { value: unknown } | { reason: unknown } = { pending: true };
  promise.then(
    (value) => {
      state = { value };
    },
    (reason: unknown) => {
      state = { reason };
    },
  );
  await settle();
  return state;
}
