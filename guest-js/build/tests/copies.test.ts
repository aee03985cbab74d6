import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import * as core from "@tauri-apps/api/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LoadedPage, loadPage, type TestTasks } from "../../core/tests/load-page.js";
import { type Built, build } from "./built.js";

type Api = typeof import("../../core/index.js");

let built: Built;
beforeAll(async () => {
  built = await build();
});
afterAll(() => built.remove());

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => {
  Reflect.deleteProperty(window, "__TAURI__");
  page.unload();
});

let copies = 0;

/** Installs the package once more, in another place, and returns where one of its files is there. */
function install(file: string): string {
  copies += 1;
  const place = join(built.directory, `copy-${copies}`);
  cpSync(join(built.directory, "dist-js"), join(place, "dist-js"), { recursive: true });
  return join(place, file);
}

/** How a page may load the package. Each call loads another copy. */
const LOADERS = {
  async import(): Promise<Api> {
    return import(/* @vite-ignore */ pathToFileURL(install("dist-js/index.js")).href);
  },
  async require(): Promise<Api> {
    return createRequire(import.meta.url)(install("dist-js/index.cjs"));
  },
  async script(): Promise<Api> {
    const tauri: Record<string, unknown> = { core };
    Reflect.set(window, "__TAURI__", tauri);
    runInThisContext(built.outputs.get("api-iife.js") ?? "");
    return tauri["tasks"] as Api;
  },
};
type Loader = keyof typeof LOADERS;
const loaders = Object.keys(LOADERS) as Loader[];
const pairs = loaders.flatMap((one) => loaders.map((other) => [one, other] as const));

describe.each(pairs)("two copies in one page (%s and %s)", (one, other) => {
  let first: Api;
  let second: Api;
  beforeEach(async () => {
    first = await LOADERS[one]();
    second = await LOADERS[other]();
    expect(second.TaskError).not.toBe(first.TaskError);
  });

  it("follow a task over one session", async () => {
    const { plugin } = page;
    const task = await first.createTasks<TestTasks>().start("tick");
    const same = await second.createTasks<TestTasks>().attach("tick", task.id);
    const seen: string[] = [];
    task.onStatus((status) => seen.push(`first ${status}`));
    same.onStatus((status) => seen.push(`second ${status}`));
    plugin.status(task.id, "running");
    await plugin.frame();
    plugin.complete(task.id, 5);
    await plugin.frame();
    expect(seen).toEqual([
      ...["first queued", "second queued"],
      ...["first running", "second running"],
      ...["first completed", "second completed"],
    ]);
    expect(await Promise.all([task.result, same.result])).toEqual([5, 5]);
    expect(plugin.calls("open")).toHaveLength(1);
    expect(plugin.calls("watch")).toEqual([]);
  });

  it("know each other's errors", async () => {
    const { plugin } = page;
    const task = await first.createTasks<TestTasks>().start("tick");
    const same = await second.createTasks<TestTasks>().attach("tick", task.id);
    plugin.end(task.id, { status: "failed", data: { kind: "error", message: "no", error: 1 } });
    await plugin.frame();
    const missing = (api: Api) => api.createTasks().get("missing").catch(thrown);
    const thrown = (reason: unknown) => reason;
    const failed = await Promise.all([task.result.catch(thrown), same.result.catch(thrown)]);
    const notFound = await Promise.all([missing(first), missing(second)]);
    for (const { TaskError, TaskFailedError, TaskNotFoundError } of [first, second]) {
      for (const error of [...failed, ...notFound]) expect(error).toBeInstanceOf(TaskError);
      for (const error of failed) {
        expect(error).toBeInstanceOf(TaskFailedError);
        expect(error).not.toBeInstanceOf(TaskNotFoundError);
      }
      for (const error of notFound) {
        expect(error).toBeInstanceOf(TaskNotFoundError);
        expect(error).not.toBeInstanceOf(TaskFailedError);
      }
    }
  });

  it("read what the other's task emits, one at a time", async () => {
    const { plugin } = page;
    const task = await first.createTasks<TestTasks>().start("tail");
    const same = await second.createTasks<TestTasks>().attach("tail", task.id);
    plugin.emit(task.id, 1, 2);
    const items = task.items();
    expect(await items.next()).toEqual({ done: false, value: 1 });
    await expect(same.items().next()).rejects.toMatchObject({ kind: "locked" });
    await items.return();
    expect(await same.items().next()).toEqual({ done: false, value: 2 });
    expect(plugin.calls("open")).toHaveLength(1);
  });
});
