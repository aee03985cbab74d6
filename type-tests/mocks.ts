// Mocks that must compile, and those that must not.
import type { TaskSnapshotOf } from "tauri-plugin-tasks-api";
import {
  failure,
  type MockContext,
  type MockTask,
  mockTasks,
  type Scripts,
  type TasksMock,
} from "tauri-plugin-tasks-api/mocks";
import type { Equal, Expect } from "./equal.js";
import type { DownloadError, DownloadInput, Tasks } from "./tasks.gen.js";

export function scriptsOfAllForms(): TasksMock<Tasks> {
  return mockTasks<Tasks>({
    download: async (ctx, input) => {
      const isInput: Expect<Equal<typeof input, DownloadInput>> = isTyped;
      const isContext: Expect<Equal<typeof ctx, MockContext<Tasks["download"]>>> = isTyped;
      ctx.progress({ completed: 1, total: null, detail: { phase: "receiving", file: "f" } });
      ctx.progress({});
      if (isInput && isContext && ctx.signal.aborted)
        throw failure("io", { type: "io", data: "x" });
      return `${ctx.name} ${ctx.id} ${ctx.attempt}`;
    },
    "hash-folder": async (ctx) => {
      await ctx.emit({ path: "p", hash: "h" });
      return [1, []];
    },
    cat: async (ctx) => {
      await ctx.emit(new Uint8Array(3));
    },
    tick: { output: 4 },
    tidy: "manual",
  });
}

const isTyped = true;

export function failuresOfAllKinds(): Scripts<Tasks>[] {
  const error: DownloadError = { type: "http", data: 404 };
  return [
    { download: { error: failure("not found", error) } },
    { tidy: { error: failure("disk full") } },
    {},
  ];
}

export function options(): void {
  mockTasks<Tasks>({}, { concurrency: 2, window: "editor", ipc: (command) => command });
  mockTasks<Tasks>({}, { concurrency: { tick: 1 } });
  mockTasks<Tasks>({}, { permissions: { deny: ["cancel-all", "set-limit", "observe-all"] } });
}

export async function drivesTasks(mock: TasksMock<Tasks>, id: string): Promise<void> {
  const task = mock.task("download", id);
  const isTask: Expect<Equal<typeof task, MockTask<Tasks["download"]>>> = isTyped;
  const isSnapshot: Expect<Equal<typeof task.snapshot, TaskSnapshotOf<Tasks["download"]>>> =
    isTyped;
  task.progress({ detail: { phase: "connecting" } });
  task.complete(isTask && isSnapshot ? "path" : "other");
  task.fail(failure("io", { type: "io", data: "x" } as const));
  mock.last("tick").complete(3);
  mock.task(id).complete("path");
  await mock.last("hash-folder").emit({ path: "p", hash: "h" });
  mock.otherWindow("other").start("tick");
  mock.app.start("download", { url: "u" }, { key: "k" }).complete("path");
  for (const started of mock.started) {
    if (started.name === "download") started.input.url.trim();
  }
  mock.refuse("cancelAll", "no", 2);
  mock.hold("setPriority")();
}

export async function mustNotCompile(mock: TasksMock<Tasks>, id: string): Promise<void> {
  // @ts-expect-error There is no such kind.
  mockTasks<Tasks>({ upload: "manual" });
  // @ts-expect-error The output is a number.
  mockTasks<Tasks>({ tick: { output: "4" } });
  // @ts-expect-error The output is a number.
  mockTasks<Tasks>({ tick: () => "4" });
  // @ts-expect-error The output is a number.
  mockTasks<Tasks>({ tick: async () => {} });
  // @ts-expect-error The error has another type.
  mockTasks<Tasks>({ download: { error: failure("not found") } });
  // @ts-expect-error The kind never fails.
  mockTasks<Tasks>({ tick: { error: failure("no") } });
  // @ts-expect-error There is no such word.
  mockTasks<Tasks>({ tick: "automatic" });
  // @ts-expect-error There is no such permission.
  mockTasks<Tasks>({}, { permissions: { deny: ["cancelAll"] } });
  // @ts-expect-error There is no such kind.
  mockTasks<Tasks>({}, { concurrency: { upload: 1 } });
  // @ts-expect-error The output is a string.
  mock.task("download", id).complete(4);
  // @ts-expect-error The detail has another type.
  mock.last("download").progress({ detail: "connecting" });
  // @ts-expect-error The error has another type.
  mock.last("download").fail(failure("no"));
  // @ts-expect-error There is no such kind.
  mock.last("upload");
  // @ts-expect-error The input is missing.
  mock.app.start("download");
  // @ts-expect-error No kind has this output.
  mock.task(id).complete(new Date());
  // @ts-expect-error There is no such command.
  mock.refuse("cancel_all", "no");
}

export async function contextsMustNotCompile(
  download: MockContext<Tasks["download"]>,
  hash: MockContext<Tasks["hash-folder"]>,
  tick: MockContext<Tasks["tick"]>,
): Promise<void> {
  // @ts-expect-error The detail has another type.
  download.progress({ detail: { phase: "over" } });
  // @ts-expect-error The fraction follows from the numbers.
  download.progress({ fraction: 0.5 });
  // @ts-expect-error The items have another type.
  await hash.emit("item");
  // @ts-expect-error The kind emits nothing.
  await tick.emit("item");
}
