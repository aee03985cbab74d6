import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { version } from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENTRIES } from "../entries.js";
import type { Row } from "../size-limit.js";
import { type Built, build, root } from "./built.js";

const manifest: {
  exports: Record<string, unknown>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  sideEffects: unknown;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

describe("package.json", () => {
  it("exports each entry, the types first", () => {
    const { "./package.json": self, ...exported } = manifest.exports;
    expect(self).toBe("./package.json");
    const expected = ENTRIES.map(({ path, name, folder, commonjs }) => {
      const types = `./dist-js/${folder}/index.d`;
      const esm = { types: `${types}.ts`, default: `./dist-js/${name}.js` };
      const cjs = { types: `${types}.cts`, default: `./dist-js/${name}.cjs` };
      return [path, commonjs ? { import: esm, require: cjs } : esm];
    });
    expect(JSON.stringify(exported)).toBe(JSON.stringify(Object.fromEntries(expected)));
  });

  it("has each framework as an optional peer, since nobody has all of them", () => {
    const frameworks = ENTRIES.flatMap(({ framework }) => framework ?? []).sort();
    const optional = Object.entries(manifest.peerDependenciesMeta).filter(([, to]) => to.optional);
    expect(optional.map(([name]) => name)).toEqual(frameworks);
    const peers = Object.keys(manifest.peerDependencies).sort();
    expect(peers).toEqual(["@tauri-apps/api", ...frameworks]);
  });

  it("installs the TypeScript that builds the package as tsc, not one that only checks it", () => {
    const tsc = execSync("npm exec --offline -- tsc --version", { cwd: root, encoding: "utf8" });
    expect(tsc.trim()).toBe(`Version ${version}`);
  });

  it("lets bundlers leave out what a page doesn't use", () => {
    expect(manifest.sideEffects).toBe(false);
  });
});

describe("sizes.json", () => {
  it("has a row for each entry, with a limit for what apps ship and a reason for each addition", () => {
    const rows: Row[] = JSON.parse(readFileSync(join(root, "guest-js/build/sizes.json"), "utf8"));
    const whole = rows.filter((row) => row.import === undefined);
    expect(whole.map(({ entry }) => entry)).toEqual(ENTRIES.map(({ name }) => name));
    for (const { limit } of rows) expect(limit).toBeGreaterThan(0);
    for (const { why } of rows.flatMap(({ additions = [] }) => additions)) expect(why).not.toBe("");
  });
});

describe("the entries of one page", () => {
  type Tasks = { tick: { input: null; detail: null; item: never; output: number; error: string } };
  let built: Built;
  beforeAll(async () => {
    built = await build();
  });
  afterAll(() => built.remove());

  it("share one session and one page object", async () => {
    const load = (name: string) =>
      import(/* @vite-ignore */ pathToFileURL(join(built.directory, `dist-js/${name}.js`)).href);
    const { createTasks }: typeof import("../../core/index.js") = await load("index");
    const { listStore, taskStore }: typeof import("../../store/index.js") = await load("store");
    const { mockTasks }: typeof import("../../mocks/index.js") = await load("mocks");
    const mock = mockTasks<Tasks>({ tick: "manual" });
    const before = Reflect.ownKeys(globalThis);
    const task = await createTasks<Tasks>().start("tick");
    const objects = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key));

    // Another client, as a module of the app may have, and the stores of the other entry.
    const client = createTasks<Tasks>();
    const one = taskStore(client, "tick", task.id);
    const list = listStore(client);
    const ends = [one.subscribe(() => {}), list.subscribe(() => {})];
    await mock.settle();
    mock.last("tick").progress({ completed: 3 });
    await mock.settle();
    expect(one.getSnapshot().snapshot?.progress.completed).toBe(3);
    expect(list.getSnapshot().tasks.map(({ id }) => id)).toEqual([task.id]);
    expect(mock.calls("open")).toHaveLength(1);
    // The page's object, and nothing besides.
    expect(objects).toHaveLength(1);
    expect(Reflect.ownKeys(globalThis).filter((key) => !before.includes(key))).toEqual(objects);
    for (const end of ends) end();
    // The mock takes the page's object away, whichever entry has made it.
    mock.restore();
    expect(Reflect.ownKeys(globalThis).filter((key) => objects.includes(key))).toEqual([]);
  });
});
