import { Blob, File } from "node:buffer";
import { URLSearchParams as NodeURLSearchParams } from "node:url";
import { Channel } from "@tauri-apps/api/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEEPEST, json } from "../arguments/json.js";
import { type LoadedPage, loadPage } from "./load-page.js";
import { randomFrom } from "./random.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const copy = (value: unknown) => json(value, "start was refused, since input");

function nest(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

class Point {
  readonly x = 1;
  readonly #hidden = 2;
  get y() {
    return this.#hidden;
  }
}

describe("an input is sent as", () => {
  it.each<[string, unknown, unknown]>([
    ["null if it is undefined", undefined, null],
    ["plain values", [1, -0.5, "é😀", true, null, 2 ** 60], [1, -0.5, "é😀", true, null, 2 ** 60]],
    ["without fields that are undefined", { a: undefined, b: 1 }, { b: 1 }],
    [
      "null for elements that are undefined or left out",
      [undefined, 1, ...Array(1)],
      [null, 1, null],
    ],
    ["what toJSON returns", { a: { toJSON: (key: string) => `it is ${key}` } }, { a: "it is a" }],
    ["what its bound toJSON returns", [{ toJSON: () => undefined }], [null]],
    ["a date as a string", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    ["a URL as a string", new URL("https://example.org/a"), "https://example.org/a"],
    [
      "a map as an object, as Tauri does",
      new Map<unknown, unknown>([
        ["a", 1],
        [2, new Map()],
      ]),
      { a: 1, 2: {} },
    ],
    [
      "bytes as numbers, as Tauri does",
      { a: new Uint8Array([1, 255]), b: new Uint8Array([7]).buffer },
      { a: [1, 255], b: [7] },
    ],
    ["what __TAURI_TO_IPC_KEY__ returns", { __TAURI_TO_IPC_KEY__: () => ({ Id: 5 }) }, { Id: 5 }],
    ["the fields of an object of a class", new Point(), { x: 1 }],
    ["the value of a boxed primitive", [Object(5), Object("a"), Object(false)], [5, "a", false]],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      "the exports of a module",
      Object.assign(Object.create(null, { [Symbol.toStringTag]: { value: "Module" } }), { a: 1 }),
      { a: 1 },
    ],
    [
      "a map with keys that differ",
      new Map<unknown, unknown>([
        [1, 2],
        ["01", 3],
      ]),
      { 1: 2, "01": 3 },
    ],
    [
      "without fields that are not enumerable, or symbols",
      Object.defineProperty({ [Symbol("s")]: 1 }, "b", { value: 1 }),
      {},
    ],
  ])("%s", (_, input, sent) => {
    expect(copy(input)).toEqual(sent);
  });

  it("itself if it has a field __proto__", () => {
    const text = '{"__proto__":{"a":1},"b":{"__proto__":2}}';
    expect(JSON.stringify(copy(JSON.parse(text)))).toBe(text);
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it("its channel", () => {
    const channel = new Channel();
    expect(copy({ channel })).toEqual({ channel: `__CHANNEL__:${channel.id}` });
  });

  it("the same object in two places", () => {
    const twice = { a: 1 };
    expect(copy([twice, twice])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it(`up to ${DEEPEST} nested levels`, () => {
    expect(copy(nest(DEEPEST))).toEqual(nest(DEEPEST));
  });

  it("it was at the call", async () => {
    const { plugin, tasks } = page;
    const input = { url: "before" };
    const started = tasks.start("download", input);
    input.url = "after";
    await started;
    expect(plugin.calls("start")[0]?.["input"]).toEqual({ url: "before" });
  });

  it("what JSON.stringify writes, whatever it holds", () => {
    const random = randomFrom(7);
    const make = (depth: number): unknown => {
      const sort = random(depth > 4 ? 6 : 9);
      if (sort < 6)
        return [
          null,
          undefined,
          true,
          random(1_000) / 8,
          `é"\\\n${random(9)}`,
          new Date(random(9)),
        ][sort];
      const parts = Array.from({ length: random(5) }, () => make(depth + 1));
      return sort === 6 ? parts : Object.fromEntries(parts.map((part, i) => [`k${i % 4}`, part]));
    };
    for (let round = 0; round < 500; round += 1) {
      const value = make(0);
      expect(JSON.stringify(copy(value))).toBe(JSON.stringify(value ?? null));
    }
  });
});

describe("an input is refused, with the path, if it holds", () => {
  const cycle: { a: unknown[] } = { a: [] };
  cycle.a.push({ b: cycle });
  const lone = "\ud800";
  it.each<[string, unknown, string]>([
    ["NaN", { a: [1, { size: Number.NaN }] }, "a[1].size"],
    ["Infinity", [Number.NEGATIVE_INFINITY], "[0]"],
    ["a boxed NaN", { a: Object(Number.NaN) }, "a"],
    ["a BigInt", { a: { b: 1 }, id: 5n }, "id"],
    ["a function", { done: () => {} }, "done"],
    ["a symbol", [[Symbol("s")]], "[0][0]"],
    ["half of a surrogate pair", { name: `a${lone}` }, "name"],
    ["half of a surrogate pair, in a key", { a: { b: {}, [lone]: 1 } }, "a"],
    ["half of a surrogate pair, in a key of a map", { a: new Map([[lone, 1]]) }, "a"],
    ["a cycle", cycle, "a[0].b"],
    ["an invalid date", { at: new Date(Number.NaN) }, "at"],
    ["a set", { tags: new Set(["a"]) }, "tags"],
    ["a promise", { path: Promise.resolve("a") }, "path"],
    ["an error", { error: new Error("mine") }, "error"],
    ["a regular expression", { like: /a/ }, "like"],
    ["a blob", { file: new Blob(["a"]) }, "file"],
    ["floats", { samples: new Float32Array([1]) }, "samples"],
    [
      "an object that says it is something else",
      { a: { [Symbol.toStringTag]: "Mine", b: 1 } },
      "a",
    ],
    ...[
      new (class Tags extends Set<string> {
        readonly name = "mine";
      })(),
      new (class Late extends Promise<string> {
        readonly name = "mine";
      })(() => {}),
      new (class extends EventTarget {
        readonly isTrusted = true;
        get [Symbol.toStringTag]() {
          return "PointerEvent";
        }
      })(),
      new Blob([]),
      new File([], "a.txt"),
      new WeakMap(),
      new WeakSet(),
      new WeakRef({}),
      new Set(),
      Promise.resolve(),
      /a/g,
      new Error("mine"),
      new DOMException("mine"),
      new AbortController().signal,
      new DataView(new ArrayBuffer(1)),
      new Uint16Array([1]),
      new SharedArrayBuffer(1),
      new Map().entries(),
      [][Symbol.iterator](),
      new Intl.NumberFormat(),
      new NodeURLSearchParams("a=1"),
      Math,
      Object(5n),
      Object(Symbol("s")),
      (function _(..._args: unknown[]) {
        // biome-ignore lint/complexity/noArguments: what an old function may pass on
        return arguments;
      })(1, 2),
      (function* () {})(),
    ].map((odd): [string, unknown, string] => [
      `an object with a field of its own, as ${Object.prototype.toString.call(odd)} has`,
      { odd: Object.assign(odd as object, { own: 1 }) },
      "odd",
    ]),
    [
      "a map in which two keys are one",
      {
        a: new Map<unknown, unknown>([
          [1, 2],
          ["1", 3],
        ]),
      },
      "a",
    ],
    [
      "a map in which one of them is left out",
      {
        a: new Map<unknown, unknown>([
          ["0", undefined],
          [-0, 3],
        ]),
      },
      "a",
    ],
    [
      "a map with keys that are objects",
      {
        a: new Map<unknown, unknown>([
          ["b", 1],
          [{}, 1],
        ]),
      },
      "a",
    ],
    ["NaN in a map", new Map([["a", Number.NaN]]), "a"],
    ["NaN from toJSON", { a: { toJSON: () => ({ b: Number.NaN }) } }, "a.b"],
    [
      "a toJSON that throws",
      {
        b: { c: 1 },
        a: {
          toJSON: () => {
            throw new Error("mine");
          },
        },
      },
      "a",
    ],
    [
      "a getter that throws",
      {
        b: { c: 1 },
        get a() {
          throw new Error("mine");
        },
      },
      "a",
    ],
    [
      "a proxy that throws",
      {
        b: { c: 1 },
        a: new Proxy(
          {},
          {
            ownKeys() {
              throw new Error("mine");
            },
          },
        ),
      },
      "a",
    ],
    [
      "something that throws what is no error",
      {
        get a() {
          throw Object.create(null);
        },
      },
      "a",
    ],
  ])("%s", async (_, input, path) => {
    const { plugin, tasks, api } = page;
    const started = (tasks.start as (name: string, input: unknown) => Promise<unknown>)(
      "tick",
      input,
    );
    const error = await started.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(api.TaskInputError);
    expect(error).toMatchObject({ kind: "invalidInput", path, data: { path } });
    const batched = tasks.batch("tick", [null, input as null]);
    await expect(batched).rejects.toMatchObject({
      path: path.startsWith("[") ? `[1]${path}` : `[1].${path}`,
    });
    expect(plugin.commands()).toEqual([]);
  });

  it("more nested levels than can be read", () => {
    expect(() => copy(nest(DEEPEST + 1))).toThrow("is nested more than 120 levels deep");
    expect(() => copy(nest(100_000))).toThrow("is nested more than 120 levels deep");
  });

  it("nothing but what can't be sent", () => {
    for (const input of [Number.NaN, 5n, () => {}, Symbol("s"), "\udc00", new Set()]) {
      expect(() => copy(input)).toThrow("start was refused, since input ");
    }
  });

  it("and keeps what was thrown", () => {
    const mine = new Error("mine");
    const input = Object.defineProperty({}, "a", {
      enumerable: true,
      get: vi.fn().mockImplementation(() => {
        throw mine;
      }),
    });
    expect(() => copy(input)).toThrow(
      expect.objectContaining({ cause: mine, message: expect.stringContaining("mine") }),
    );
  });
});
