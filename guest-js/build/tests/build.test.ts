// @vitest-environment node
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Built, build, root } from "./built.js";

let directory: Built["directory"];
let outputs: Built["outputs"];
let remove: Built["remove"];
beforeAll(async () => {
  ({ directory, outputs, remove } = await build());
});
afterAll(() => remove());

const NAMES = [
  "OutcomeExpiredError",
  "TaskCancelledError",
  "TaskError",
  "TaskFailedError",
  "TaskInputError",
  "TaskKeyTakenError",
  "TaskNotFoundError",
  "TaskPanicError",
  "TaskPermissionError",
  "TaskQueueFullError",
  "TaskQuotaError",
  "TaskReaderGoneError",
  "TaskTimedOutError",
  "createTasks",
];

describe("the build", () => {
  it("can be imported", async () => {
    const url = pathToFileURL(join(directory, "dist-js/index.js")).href;
    const globals = Reflect.ownKeys(globalThis);
    const module: Record<string, unknown> = await import(/* @vite-ignore */ url);
    expect(Object.keys(module).sort()).toEqual(NAMES);
    // Node has no window: a server that renders pages may import the package all the same.
    expect(Reflect.has(globalThis, "window")).toBe(false);
    expect(Reflect.ownKeys(globalThis)).toEqual(globals);
  });

  it("can be required", () => {
    const require = createRequire(import.meta.url);
    const module: Record<string, unknown> = require(join(directory, "dist-js/index.cjs"));
    expect(Object.keys(module).sort()).toEqual(NAMES);
  });

  it("imports nothing but Tauri's API", () => {
    const imported = (code = "") => [...code.matchAll(/(?:from|require\()\s*"([^"]+)"/g)];
    for (const file of ["dist-js/index.js", "dist-js/index.cjs"]) {
      const code = outputs.get(file)?.replace(/\/\*[\s\S]*?\*\//g, "");
      expect(imported(code).map((match) => match[1])).toEqual(["@tauri-apps/api/core"]);
    }
  });

  it("uses neither requestAnimationFrame nor AbortSignal.any", () => {
    for (const code of outputs.values()) {
      expect(code).not.toMatch(/requestAnimationFrame|AbortSignal\.any/);
    }
  });
});

describe("api-iife.js", () => {
  it("is up to date with the sources (if not, run npm run build)", () => {
    const committed = readFileSync(join(root, "api-iife.js"), "utf8");
    expect(committed).toBe(outputs.get("api-iife.js"));
  });

  it("defines window.__TAURI__.tasks on top of the page's own Tauri API", async () => {
    const calls: unknown[] = [];
    class Channel {}
    const invoke = async (command: string) => {
      calls.push(command);
      return [];
    };
    const tauri: Record<string, unknown> = { core: { Channel, invoke } };
    const window = { __TAURI__: tauri };
    const web = { performance, setTimeout, clearTimeout };
    runInNewContext(outputs.get("api-iife.js") ?? "", { window, ...web });
    const tasks = tauri["tasks"] as typeof import("../../core/index.js");
    expect(NAMES.filter((name) => !(name in tasks))).toEqual([]);
    await tasks.createTasks().list();
    expect(calls).toEqual(["plugin:tasks|list"]);
  });

  it("does nothing without withGlobalTauri", () => {
    const window = {};
    runInNewContext(outputs.get("api-iife.js") ?? "", { window });
    expect(window).toEqual({});
  });
});
