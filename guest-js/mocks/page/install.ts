/** Puts the mock where `@tauri-apps/api` looks for Tauri, together with whatever else is there. */
import { mockIPC } from "@tauri-apps/api/mocks";
import { PREFIX } from "../plugin/calls.js";
import type { Wire } from "../plugin/sessions.js";

type Invoke = (command: string, args?: unknown, options?: unknown) => unknown;

/** What `@tauri-apps/api` calls. */
interface Internals {
  invoke: Invoke;
  runCallback(id: number, data: unknown): void;
  transformCallback?: unknown;
  metadata?: unknown;
}

interface PageGlobals {
  window?: unknown;
  __TAURI_INTERNALS__?: Partial<Internals>;
  __TAURI_EVENT_PLUGIN_INTERNALS__?: unknown;
}

const NAMES = ["window", "__TAURI_INTERNALS__", "__TAURI_EVENT_PLUGIN_INTERNALS__"] as const;

/** Who answers the calls of the page. */
export interface Answers {
  /** The label of the page's webview. */
  readonly page: string;
  /** Answers the commands of the tasks plugin. */
  readonly tasks: Invoke;
  /** Answers all other commands. Without it, whatever answered them before does, or a `mockIPC` that is called later. */
  readonly others?: Invoke | undefined;
}

/**
 * Answers the calls of the page from now on. Returns a function that puts everything back.
 *
 * A `mockIPC` of the app counts for all other commands, whether it was called before or is called later.
 */
export function install({ page, tasks, others }: Answers): () => void {
  const globals = globalThis as PageGlobals;
  const before = NAMES.map(
    (name) => [name, Object.getOwnPropertyDescriptor(globals, name)] as const,
  );
  // `@tauri-apps/api` looks for Tauri in `window`, which Node doesn't have.
  if (globals.window === undefined) define(globals, "window", globals);
  const had = globals.__TAURI_INTERNALS__;
  const inside = had && Object.getOwnPropertyDescriptor(had, "invoke");
  if (inside && !inside.configurable) {
    throw new Error(
      "This page runs in a Tauri app, whose calls can't be mocked: call mockTasks only where isTauri() of @tauri-apps/api/core returns false.",
    );
  }
  const hadMetadata = had !== undefined && "metadata" in had;
  let app: Invoke | undefined = had?.invoke;
  if (had?.transformCallback === undefined) mockIPC(() => {});
  const internals = globals.__TAURI_INTERNALS__ as Internals;

  const invoke: Invoke = async (command, args, options) => {
    if (command.startsWith(PREFIX)) return tasks(command, args);
    const answer = others ?? app;
    if (answer) return answer(command, args, options);
    throw `Command ${command} not found`;
  };
  Object.defineProperty(internals, "invoke", {
    get: () => invoke,
    set(later: Invoke) {
      app = later;
    },
    configurable: true,
    enumerable: true,
  });
  if (!hadMetadata) {
    const label = { label: page };
    internals.metadata = { currentWindow: label, currentWebview: { windowLabel: page, ...label } };
  }

  return () => {
    const isThere = Object.getOwnPropertyDescriptor(internals, "invoke")?.get?.() === invoke;
    if (isThere) {
      if (app) define(internals, "invoke", app);
      else Reflect.deleteProperty(internals, "invoke");
    }
    if (!hadMetadata) Reflect.deleteProperty(internals, "metadata");
    // What an app's `mockIPC` has put there since stays.
    if (app && app !== had?.invoke) return;
    for (const [name, descriptor] of before) restore(globals, name, descriptor);
  };
}

/** Returns the plugin's end of a channel: a `Channel`, or what it is serialised as. */
export function connect(channel: unknown): Wire {
  const id = channelId(channel);
  // A `mockIPC` that is called later has other callbacks.
  const { runCallback } = (globalThis as PageGlobals).__TAURI_INTERNALS__ as Internals;
  let index = 0;
  const next = () => {
    index += 1;
    return index - 1;
  };
  return {
    send: (json) => runCallback(id, { message: JSON.parse(json), index: next() }),
    close: () => runCallback(id, { end: true, index: next() }),
  };
}

function channelId(channel: unknown): number {
  if (typeof channel === "string") return Number(channel.replace("__CHANNEL__:", ""));
  return (channel as { readonly id: number }).id;
}

function define(on: object, name: string, value: unknown): void {
  Object.defineProperty(on, name, { value, configurable: true, enumerable: true, writable: true });
}

function restore(on: object, name: string, descriptor: PropertyDescriptor | undefined): void {
  if (descriptor) Object.defineProperty(on, name, descriptor);
  else Reflect.deleteProperty(on, name);
}
