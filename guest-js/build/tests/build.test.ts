// @vitest-environment node
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENTRIES } from "../entries.js";
import { reachable } from "../reachable.js";
import { type Built, build, root } from "./built.js";

let directory: Built["directory"];
let outputs: Built["outputs"];
let sources: Built["sources"];
let remove: Built["remove"];
beforeAll(async () => {
  ({ directory, outputs, sources, remove } = await build());
});
afterAll(() => remove());

const IIFE = "api-iife.js";
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

const ESM = ENTRIES.map((entry) => ({ ...entry, file: `dist-js/${entry.name}.js` }));
const CJS = ENTRIES.filter((entry) => entry.commonjs).map((entry) => ({
  ...entry,
  file: `dist-js/${entry.name}.cjs`,
}));

/** Loads an entry in a Node of its own, where nothing is but Node. Returns what the entry exports and the globals that it has added. */
function inNode(load: string, { file, framework }: { file: string; framework?: string }) {
  const url = pathToFileURL(join(directory, file)).href;
  const script = `
    import { createRequire } from "node:module";
    import { fileURLToPath } from "node:url";
    const url = ${JSON.stringify(url)};
    ${framework === undefined ? "" : `await import(${JSON.stringify(framework)});`}
    const before = Reflect.ownKeys(globalThis);
    const module = ${load};
    const added = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key)).map(String);
    console.log(JSON.stringify({ names: Object.keys(module).sort(), added }));`;
  const node = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    encoding: "utf8",
  });
  expect(node.stderr).toBe("");
  return JSON.parse(node.stdout) as { names: string[]; added: string[] };
}
const imported = "await import(url)";
const required = "createRequire(url)(fileURLToPath(url))";

describe("the build", () => {
  it.each(ESM)("can be imported where there is no window, and does nothing ($path)", (entry) => {
    const { names, added } = inNode(imported, entry);
    expect(added).toEqual([]);
    if (entry.path === ".") expect(names).toEqual(NAMES);
    expect(names).not.toEqual([]);
  });

  it.each(CJS)("can be required where there is no window, and does nothing ($path)", (entry) => {
    const { names, added } = inNode(required, entry);
    expect(added).toEqual([]);
    const esm = inNode(imported, { ...entry, file: `dist-js/${entry.name}.js` });
    expect(names).toEqual(esm.names);
  });

  it.each([...ESM, ...CJS])(
    "imports nothing but Tauri's API and its framework ($file)",
    (entry) => {
      const { packages } = reachable(entry.file, (file) => outputs.get(file) ?? "");
      const name = (path: string) => path.replace(/^(@[^/]+\/)?([^/]+)\/.*$/, "$1$2");
      const known = ["@tauri-apps/api", ...[entry.framework ?? []].flat()];
      expect([...packages].map(name).filter((one) => !known.includes(one))).toEqual([]);
    },
  );

  it.each(["js", "cjs"])(
    "has each source in one file, so that all entries share it (%s)",
    (format) => {
      const files = [...sources].filter(([file]) => file.endsWith(`.${format}`) && file !== IIFE);
      const all = files.flatMap(([, ids]) => ids);
      expect(all.filter((id, index) => all.indexOf(id) !== index)).toEqual([]);
    },
  );

  it.each([...ESM, ...CJS])(
    "has the notice of uuid where uuid is, and nowhere else ($file)",
    (entry) => {
      const { files } = reachable(entry.file, (file) => outputs.get(file) ?? "");
      for (const file of files) {
        const has = sources.get(file)?.some((id) => id.includes("node_modules/uuid/"));
        expect([file, outputs.get(file)?.includes("Includes uuid, MIT")]).toEqual([file, has]);
      }
    },
  );

  it("begins the entry for React with the directive by which servers leave hooks to the page", () => {
    expect(outputs.get("dist-js/react.js")).toMatch(/^"use client";\n/);
  });

  it("uses nothing that the oldest webviews of the README lack, nor requestAnimationFrame", () => {
    // The target leaves these as they are, and the library of the type checker has them. Hidden pages get no frames. The client has
    // a `throwIfAborted` of its own, which takes a signal.
    const newer =
      /\(\?<[=!]|AbortSignal\.(any|timeout)|\.throwIfAborted\(\)|Promise\.withResolvers|requestAnimationFrame/;
    for (const [file, code] of outputs)
      expect([file, newer.exec(code)?.[0]]).toEqual([file, undefined]);
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
