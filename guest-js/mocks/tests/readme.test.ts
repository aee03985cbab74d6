/** Runs what the README shows of the mock, against the page of the quick start. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTasks } from "../../core/index.js";
import { failure, mockTasks, type TasksMock } from "../index.js";

type Tasks = {
  "count-words": {
    input: { path: string };
    output: { words: number; lines: number };
    error: { type: "notFound" } | { type: "io"; data: string };
    detail: null;
    item: never;
  };
};

const ROOT = resolve(import.meta.dirname, "../../..");
const README = readFileSync(resolve(ROOT, "README.md"), "utf8");

/** Returns the part of the README's section that begins and ends with these texts. */
function shown(from: string, to: string): string {
  const section = README.slice(README.indexOf("## Test your page"));
  const begin = section.indexOf(from);
  expect(begin).toBeGreaterThan(0);
  return section.slice(begin, section.indexOf(to, begin) + to.length);
}

/** Makes a function of code from the README. TypeScript's own syntax in it is `!` and the types of calls. */
function toRun(code: string, names: readonly string[]): (...args: unknown[]) => unknown {
  const plain = code
    .replace(/<(HTML\w+|Tasks)>(?=\()/g, "")
    .replaceAll(")!", ")")
    .replace('import("./main")', "load()");
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  return new AsyncFunction(...names, plain) as ReturnType<typeof toRun>;
}

let mock: TasksMock<Tasks>;
beforeEach(() => {
  vi.useFakeTimers();
  mock = mockTasks<Tasks>({ "count-words": "manual" });
});
afterEach(() => {
  mock.restore();
  vi.useRealTimers();
});

const html = readFileSync(resolve(ROOT, "examples/quick-start/index.html"), "utf8");
/** Without its style sheet, which nobody serves here. */
const page = html.replace(/<link .*>/, "");
const main = resolve(ROOT, "examples/quick-start/src/main.ts");

describe("the README", () => {
  it("tests the page of the quick start", async () => {
    const code = shown("document.documentElement", 'toBe("There is no such file");');
    const run = toRun(code, ["mock", "page", "load", "failure", "expect"]);
    expect.assertions(4);
    await run(mock, page, () => import(/* @vite-ignore */ main), failure, expect);
  });

  it("develops it in a browser", async () => {
    const code = shown("mockTasks<Tasks>({\n    ", "\n  });");
    expect.hasAssertions();
    mock = (await toRun(`return ${code}`, ["mockTasks", "failure"])(
      mockTasks,
      failure,
    )) as TasksMock<Tasks>;
    const tasks = createTasks<Tasks>();
    const task = await tasks.start("count-words", { path: "/book.txt" });
    const refused = await tasks.start("count-words", { path: "" });
    const outcome = refused.outcome;
    await vi.advanceTimersByTimeAsync(1_500);
    expect(task.snapshot.progress.fraction).toBeCloseTo(0.5, 1);
    await vi.advanceTimersByTimeAsync(1_600);
    expect(await task.result).toEqual({ words: 1_234, lines: 56 });
    expect(await outcome).toMatchObject({ error: { data: { type: "notFound" } } });
  });
});
