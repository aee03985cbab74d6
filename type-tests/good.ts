// What must compile, with exactly these types. `npm run typecheck` fails if one is no longer what it says.
import {
  type CancelReason,
  createTasks,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  type TaskHandle,
  TaskInputError,
  type TaskPanicError,
  type TaskProgress,
  type TaskSnapshot,
  type TaskStatus,
  type TaskTimedOutError,
  type TaskTypes,
} from "tauri-plugin-tasks-api";
import type { Equal, Expect } from "./equal.js";
import type { Digest, DownloadError, DownloadInput, Stage, Tasks } from "./tasks.gen.js";

const tasks = createTasks<Tasks>();

export async function startsWithInput(signal: AbortSignal | undefined) {
  const input: DownloadInput = { url: "https://example.org" };
  const task = await tasks.start("download", input);
  await tasks.start("download", { url: "u", maxRetries: 3, sha256: null }, { signal });
  await tasks.start("hash-folder", "/tmp", {});
  const sameHandle: Expect<Equal<typeof task, TaskHandle<Tasks["download"]>>> = true;
  const id: Expect<Equal<typeof task.id, string>> = true;
  const status: Expect<Equal<typeof task.status, TaskStatus>> = true;
  const cancelled = await task.cancel();
  const isVoid: Expect<Equal<typeof cancelled, void>> = true;
  return [sameHandle, id, status, isVoid];
}

export async function startsWithoutInput(signal: AbortSignal) {
  const tick = await tasks.start("tick");
  await tasks.start("tick", null);
  await tasks.start("tick", null, { signal });
  await tasks.start("tick", undefined, { signal });
  await tasks.start("tidy");
  await tasks.start("tidy", null);
  await tasks.start("tidy", { days: 3 }, { signal });
  const output = await tick.result;
  const isNumber: Expect<Equal<typeof output, number>> = true;
  return isNumber;
}

export async function detail() {
  const task = await tasks.start("download", { url: "" });
  const off = task.onProgress((progress) => {
    const typed: Expect<Equal<typeof progress, TaskProgress<Stage>>> = true;
    const detail: Expect<Equal<typeof progress.detail, Stage | null>> = true;
    const total: Expect<Equal<typeof progress.total, number | null>> = true;
    if (progress.detail?.phase === "receiving") {
      const { file } = progress.detail;
      const text: Expect<Equal<typeof file, string>> = true;
      return void text;
    }
    return void [typed, detail, total];
  });
  off();
  const tick = await tasks.start("tick");
  tick.onProgress((progress) => {
    const none: Expect<Equal<typeof progress.detail, null>> = true;
    return void none;
  });
  task.onStatus((status, snapshot) => {
    const typed: Expect<Equal<typeof status, TaskStatus>> = true;
    const detail: Expect<Equal<typeof snapshot.progress.detail, Stage | null>> = true;
    const input: Expect<Equal<typeof snapshot.input, DownloadInput | null>> = true;
    const reason: Expect<Equal<typeof snapshot.cancelReason, CancelReason | null>> = true;
    return void [typed, detail, input, reason];
  });
}

export async function output() {
  const task = await tasks.attach("hash-folder", "id");
  const [count, digests] = await task.result;
  const number: Expect<Equal<typeof count, number>> = true;
  const list: Expect<Equal<typeof digests, Digest[]>> = true;
  const done = await task.closed;
  const nothing: Expect<Equal<typeof done, void>> = true;
  return [number, list, nothing];
}

export async function outcome(): Promise<string> {
  const task = await tasks.start("download", { url: "" });
  const outcome = await task.outcome;
  switch (outcome.status) {
    case "completed": {
      const path: Expect<Equal<typeof outcome.output, string>> = true;
      return String(path);
    }
    case "failed": {
      const either: Expect<
        Equal<typeof outcome.error, TaskFailedError<DownloadError> | TaskPanicError>
      > = true;
      if (outcome.error instanceof TaskFailedError) {
        const { error } = outcome.error;
        const typed: Expect<Equal<typeof error, DownloadError>> = true;
        if (error.type === "http") return String(error.data + 1);
        return error.data + typed + either;
      }
      const panic: Expect<Equal<typeof outcome.error, TaskPanicError>> = true;
      return outcome.error.message + panic;
    }
    case "cancelled": {
      const cancelled: Expect<Equal<typeof outcome.error, TaskCancelledError>> = true;
      return outcome.error.reason + cancelled;
    }
    case "timedOut": {
      const timedOut: Expect<Equal<typeof outcome.error, TaskTimedOutError>> = true;
      return outcome.error.message + timedOut;
    }
  }
}

export async function outcomeByKind() {
  const outcome = await (await tasks.start("download", { url: "" })).outcome;
  if (outcome.status !== "failed") return undefined;
  if (outcome.error.kind === "failed") {
    const typed: Expect<Equal<typeof outcome.error.error, DownloadError>> = true;
    return typed;
  }
  const panic: Expect<Equal<typeof outcome.error, TaskPanicError>> = true;
  return panic;
}

export function caught(error: unknown) {
  if (error instanceof TaskFailedError) {
    const unknownError: Expect<Equal<typeof error.error, unknown>> = true;
    return unknownError;
  }
  if (error instanceof TaskInputError) {
    const path: Expect<Equal<typeof error.path, string>> = true;
    return path;
  }
  if (error instanceof TaskCancelledError) {
    const reason: Expect<Equal<typeof error.reason, CancelReason>> = true;
    return reason;
  }
  if (error instanceof TaskError) {
    const data: Expect<Equal<typeof error.data, unknown>> = true;
    return error.kind === "somethingNewer" || error.kind === "notFound" || data;
  }
  return false;
}

export async function lists(names: readonly ("tick" | "download")[]) {
  const all = await tasks.list();
  const plain: Expect<Equal<typeof all, TaskSnapshot[]>> = true;
  const running = await tasks.list({ status: "running" });
  const alsoPlain: Expect<Equal<typeof running, TaskSnapshot[]>> = true;
  const [download] = await tasks.list({ task: "download", status: ["queued", "running"] });
  const typed: Expect<Equal<NonNullable<typeof download>["progress"], TaskProgress<Stage>>> = true;
  const name: Expect<Equal<NonNullable<typeof download>["task"], "download">> = true;
  for (const snapshot of await tasks.list({ task: names })) {
    if (snapshot.task === "download") {
      const narrowed: Expect<Equal<typeof snapshot.progress.detail, Stage | null>> = true;
      void narrowed;
    }
  }
  const stop = await tasks.watch({ task: ["tick", "download"] }, (snapshots) => {
    const names: Expect<Equal<(typeof snapshots)[number]["task"], "tick" | "download">> = true;
    return void names;
  });
  stop();
  const one = await tasks.get("id");
  const snapshot: Expect<Equal<typeof one, TaskSnapshot>> = true;
  let state: TaskSnapshot[] = [];
  await tasks.watch({}, (snapshots) => {
    state = snapshots;
  });
  return [plain, alsoPlain, typed, name, snapshot, state];
}

/** Without a map everything goes, untyped but never `any`. */
export async function untyped() {
  const loose = createTasks();
  const task = await loose.start("whatever", { some: "input" });
  await loose.start("whatever");
  const output = await task.result;
  const isUnknown: Expect<Equal<typeof output, unknown>> = true;
  const anyHandle: TaskHandle = task;
  const handles: TaskHandle<TaskTypes>[] = [anyHandle];
  return [isUnknown, handles];
}
