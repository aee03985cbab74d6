// Uses that must compile, with exactly these types. `npm run typecheck` fails if a type has changed.
import {
  type AttachOptions,
  type BatchHandle,
  type BatchOptions,
  type CancelQuery,
  type CancelReason,
  createTasks,
  type ErrorKind,
  type FollowOptions,
  type LastRun,
  type LimitOf,
  type OnConflict,
  type QueuePlace,
  type RerunOptions,
  type ScheduleSnapshot,
  type StartOptions,
  type StreamIterationOptions,
  TaskCancelledError,
  type TaskCounts,
  TaskError,
  TaskFailedError,
  type TaskHandle,
  TaskInputError,
  type TaskItems,
  TaskKeyTakenError,
  type TaskOutcome,
  type TaskPage,
  type TaskPanicError,
  type TaskProgress,
  TaskQueueFullError,
  TaskQuotaError,
  TaskReaderGoneError,
  type TaskSnapshot,
  type TaskSnapshotOf,
  type TaskStatus,
  type TaskStream,
  type TaskTimedOutError,
  type TaskTypes,
  type TimeLimit,
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
      const limit: Expect<Equal<typeof outcome.error.limit, TimeLimit>> = true;
      return outcome.error.message + timedOut + limit;
    }
    default:
      // A minor version may add to `status`.
      return "ended";
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
  if (error instanceof TaskQueueFullError) {
    const limit: Expect<Equal<typeof error.limit, number>> = true;
    return limit;
  }
  if (error instanceof TaskQuotaError) {
    const { quota, limit } = error;
    const named: boolean = quota === "liveTasks";
    const number: Expect<Equal<typeof limit, number>> = true;
    return named === number;
  }
  if (error instanceof TaskReaderGoneError) {
    const missed: Expect<Equal<typeof error.missed, number>> = true;
    return missed;
  }
  if (error instanceof TaskKeyTakenError) {
    const id: Expect<Equal<typeof error.id, string | null>> = true;
    return id;
  }
  if (error instanceof TaskError) {
    const data: Expect<Equal<typeof error.data, unknown>> = true;
    return error.kind === "somethingNewer" || error.kind === "notFound" || data;
  }
  return false;
}

export async function lists(names: readonly ("tick" | "download")[]) {
  const all = await tasks.list();
  const plain: Expect<Equal<typeof all, TaskPage>> = true;
  const running = await tasks.list({ status: "running" });
  const alsoPlain: Expect<Equal<typeof running.tasks, TaskSnapshot[]>> = true;
  const next: Expect<Equal<typeof running.next, number | null>> = true;
  await tasks.list({}, { limit: 100, after: running.next });
  const [download] = (await tasks.list({ task: "download", status: ["queued", "running"] })).tasks;
  const typed: Expect<Equal<NonNullable<typeof download>["progress"], TaskProgress<Stage>>> = true;
  const name: Expect<Equal<NonNullable<typeof download>["task"], "download">> = true;
  for (const snapshot of (await tasks.list({ task: names })).tasks) {
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
  return [plain, alsoPlain, next, typed, name, snapshot, state];
}

export async function options(signal: AbortSignal | undefined, key: string | undefined) {
  const all: Required<StartOptions> = {
    signal,
    priority: 1,
    held: true,
    key,
    onConflict: "append",
    label: "Tick",
    tags: ["a"],
    delayMs: 1_000,
    timeoutMs: 1_000,
    deadlineMs: 1_000,
  };
  await tasks.start("tick", null, all);
  const tags: readonly string[] = ["a"];
  await tasks.start("tick", null, { key, tags, onConflict: undefined });
  const conflicts: OnConflict[] = ["refuse", "join", "replace", "append"];
  return conflicts;
}

export async function queue() {
  const task = await tasks.start("download", { url: "" });
  const off = task.onQueue((place) => {
    const typed: Expect<Equal<typeof place, QueuePlace | null>> = true;
    return void typed;
  });
  off();
  await task.pause();
  await task.resume();
  const set = await task.setPriority(-1);
  const isVoid: Expect<Equal<typeof set, void>> = true;
  const snapshot: Expect<Equal<typeof task.snapshot, TaskSnapshotOf<Tasks["download"]>>> = true;
  const input: Expect<Equal<typeof task.snapshot.input, DownloadInput | null>> = true;
  const again = await task.rerun();
  const listed = await tasks.rerun("download", task.id);
  const same: Expect<Equal<typeof again | typeof listed, TaskHandle<Tasks["download"]>>> = true;
  return [isVoid, snapshot, input, same];
}

export async function batches(inputs: readonly DownloadInput[], signal: AbortSignal) {
  const options: BatchOptions = { signal, concurrency: 4, priority: 1, label: "All", tags: ["a"] };
  const batch = await tasks.batch("download", inputs, options);
  const typed: Expect<Equal<typeof batch, BatchHandle<Tasks["download"]>>> = true;
  const attached = await tasks.attachBatch("download", batch.id);
  const same: Expect<Equal<typeof attached, typeof batch>> = true;
  await tasks.batch("tick", [null, null]);
  await tasks.batch("tidy", [{ days: 1 }, null]);
  const result = await batch.result;
  const settled: Expect<Equal<typeof result, PromiseSettledResult<string>[]>> = true;
  const outcome = await batch.outcome;
  if (outcome.status === "completed") {
    const members: Expect<Equal<typeof outcome.output, TaskOutcome<string, DownloadError>[]>> =
      true;
    void members;
    for (const member of outcome.output) {
      if (member.status === "failed" && member.error instanceof TaskFailedError) {
        const error: Expect<Equal<typeof member.error.error, DownloadError>> = true;
        void error;
      }
    }
  }
  const stop = await batch.watchMembers(
    ([member]) => {
      const snapshot: Expect<Equal<typeof member, TaskSnapshotOf<Tasks["download"]> | undefined>> =
        true;
      return void snapshot;
    },
    { signal },
  );
  stop();
  batch.onProgress(({ detail }) => {
    const stage: Expect<Equal<typeof detail, Stage | null>> = true;
    return void stage;
  });
  await batch.cancel();
  return [typed, same, settled];
}

export async function queries(batch: { readonly id: string }, tags: readonly string[]) {
  await tasks.list({ tag: "a", key: "k", parent: batch.id });
  await tasks.list({ tag: tags, key: ["k"], parent: [batch.id] });
  await tasks.watch({ tag: tags }, () => {});
  const [member] = (await tasks.list({ task: "download", parent: batch.id })).tasks;
  const typed: Expect<Equal<NonNullable<typeof member>["task"], "download">> = true;
  const cancelled = await tasks.cancelAll({ task: ["tick", "download"], tag: "a" });
  const number: Expect<Equal<typeof cancelled, number>> = true;
  await tasks.cancelAll({ all: true });
  await tasks.cancelAll({ tag: tags });
  await tasks.cancelAll({ parent: batch.id, status: "queued" });
  const selected: CancelQuery<"tick"> = { task: "tick" };
  await tasks.cancelAll(selected);
  const byTag: { tag: string; key?: string } = { tag: "a" };
  await tasks.cancelAll(byTag);
  await tasks.cancelAll({
    task: tags.length > 0 ? "tick" : "download",
    status: ["queued", "running"],
  });
  await createTasks().cancelAll({ task: "whatever" });
  const counts = await tasks.counts();
  const counted: Expect<Equal<typeof counts, TaskCounts[]>> = true;
  const limits: LimitOf[] = [
    { type: "app" },
    { type: "task", name: "tick" },
    { type: "group", name: "net" },
  ];
  for (const of of limits) await tasks.setLimit(of, null);
  const done = await tasks.setLimit({ type: "app" }, 4);
  const nothing: Expect<Equal<typeof done, void>> = true;
  return [typed, number, counted, nothing];
}

export async function schedules() {
  const all = await tasks.schedules();
  const listed: Expect<Equal<typeof all, ScheduleSnapshot[]>> = true;
  const last: LastRun | null | undefined = all[0]?.lastRun;
  const run = await tasks.trigger("nightly");
  const started: Expect<Equal<typeof run, TaskSnapshot>> = true;
  const task = await tasks.attach("tick", run.id);
  const paused = await tasks.pauseSchedule("nightly");
  const nothing: Expect<Equal<typeof paused, void>> = true;
  await tasks.resumeSchedule("nightly");
  const kind: ErrorKind = "unknownSchedule";
  return [listed, last, started, task, nothing, kind];
}

export async function items() {
  const task = await tasks.start("hash-folder", "/tmp");
  const all = task.items();
  const typed: Expect<Equal<typeof all, TaskItems<Digest>>> = true;
  for await (const digest of all) {
    const one: Expect<Equal<typeof digest, Digest>> = true;
    const position: Expect<Equal<typeof all.position, number>> = true;
    void [one, position];
    if (digest.hash) break;
  }
  const next = await all.next();
  if (!next.done) {
    const value: Expect<Equal<typeof next.value, Digest>> = true;
    void value;
  }
  await all.return();
  for await (const digests of task.chunks()) {
    const several: Expect<Equal<typeof digests, Digest[]>> = true;
    void several;
  }
  const stream = task.stream();
  const streamed: Expect<Equal<typeof stream, TaskStream<Digest>>> = true;
  const platform: ReadableStream<Digest> & AsyncIterable<Digest> = stream;
  // The library of this project has no async iterators of the DOM.
  for await (const digest of stream) {
    const one: Expect<Equal<typeof digest, Digest>> = true;
    void one;
  }
  const options: StreamIterationOptions = { preventCancel: true };
  for await (const digest of stream.values(options)) {
    const one: Expect<Equal<typeof digest, Digest>> = true;
    if (digest.hash) break;
    void one;
  }
  const iterator = stream.values({ preventCancel: undefined });
  const streamItem = await iterator.next();
  if (!streamItem.done) {
    const value: Expect<Equal<typeof streamItem.value, Digest>> = true;
    void value;
  }
  await iterator.return?.();
  await platform.pipeTo(new WritableStream<Digest>());
  // A kind that emits nothing.
  const tick = await tasks.start("tick");
  const none = tick.items();
  const never: Expect<Equal<typeof none, TaskItems<never>>> = true;
  return [typed, streamed, never, all.missed];
}

export async function bytes() {
  const task = await tasks.start("cat", "/tmp/a");
  const chunks = task.bytes();
  const typed: Expect<Equal<typeof chunks, TaskItems<Uint8Array>>> = true;
  for await (const chunk of chunks) {
    const one: Expect<Equal<typeof chunk, Uint8Array>> = true;
    void one;
  }
  const stream = task.stream();
  const streamed: Expect<Equal<typeof stream, TaskStream<Uint8Array>>> = true;
  for await (const chunk of stream) {
    const one: Expect<Equal<typeof chunk, Uint8Array>> = true;
    void one;
  }
  // This kind emits bytes, so it has no JSON items.
  const items = task.items();
  const never: Expect<Equal<typeof items, TaskItems<never>>> = true;
  return [typed, streamed, never];
}

export async function attaches(from: number | undefined) {
  const options: AttachOptions = { from };
  const task = await tasks.attach("hash-folder", "id", options);
  const typed: Expect<Equal<typeof task, TaskHandle<Tasks["hash-folder"]>>> = true;
  const all = await tasks.attachAll();
  const plain: Expect<Equal<typeof all, TaskHandle[]>> = true;
  const downloads = await tasks.attachAll({ task: "download", status: "running" });
  const narrow: Expect<Equal<typeof downloads, TaskHandle<Tasks["download"]>[]>> = true;
  const both = await tasks.attachAll({ task: ["tick", "cat"] });
  const either: Expect<
    Equal<(typeof both)[number], TaskHandle<Tasks["tick"]> | TaskHandle<Tasks["cat"]>>
  > = true;
  // Every handle is assignable to `TaskHandle`, whatever its kind emits.
  const handles: TaskHandle[] = [task, ...all, ...downloads, ...both];
  const chunks = all[0]?.bytes();
  const anyBytes: Expect<Equal<typeof chunks, TaskItems<Uint8Array> | undefined>> = true;
  const unread: CancelReason = "unread";
  const words: CancelReason = "the disk is full";
  await task.cancel("the disk is full");
  await tasks.cancelAll({ all: true }, words);
  const kinds: ErrorKind[] = ["locked", "readerGone"];
  return [typed, plain, narrow, either, handles, anyBytes, unread, words, kinds];
}

export async function letsGo(signal: AbortSignal | undefined) {
  const follow: FollowOptions = { signal };
  const rerun: RerunOptions = { signal };
  const task = await tasks.attach("tick", "id", { ...follow, from: 3 });
  const all = await tasks.attachAll({ task: "tick" }, follow);
  await tasks.attachAll(undefined, {});
  const batch = await tasks.attachBatch("tick", "id", follow);
  const again = [await task.rerun(rerun), await tasks.rerun("tick", "id", rerun)];
  const nothing: Expect<Equal<ReturnType<typeof task.detach>, void>> = true;
  batch.detach();
  const short = task.toJSON();
  const typed: Expect<Equal<typeof short, { id: string; task: string; status: TaskStatus }>> = true;
  // Methods can be passed as callbacks.
  const callbacks: (() => void)[] = [task.cancel, task.detach, batch.pause];
  return [all, again, nothing, typed, callbacks];
}

/** Stands for `listen` of Tauri, and for the events of React. */
type Listen = <T>(
  event: string,
  handler: (event: { event: string; id: number; payload: T }) => void,
) => void;
type SyntheticHandler = (event: { nativeEvent: MouseEvent; type: string; target: object }) => void;

export async function callbacks(button: HTMLButtonElement, listen: Listen) {
  const task = await tasks.start("tick");
  const batch = await tasks.batch("tick", [null]);
  for (const method of [task.cancel, batch.cancel, task.rerun, task.pause, batch.remove]) {
    button.onclick = method;
    button.addEventListener("click", method);
    listen<string>("quit", method);
    const handler: SyntheticHandler = method;
    void handler;
  }
  new AbortController().signal.onabort = task.rerun;
  setTimeout(task.cancel, 100);
  await task.cancel(new Event("click"));
}

export async function disposes() {
  await using task = await tasks.start("tick");
  await using batch = await tasks.batch("tick", [null]);
  const disposables: AsyncDisposable[] = [task, batch];
  return disposables;
}

/** Without a map, every name and value is accepted; values are `unknown`, never `any`. */
export async function untyped() {
  const loose = createTasks();
  const task = await loose.start("whatever", { some: "input" });
  await loose.start("whatever");
  const output = await task.result;
  const isUnknown: Expect<Equal<typeof output, unknown>> = true;
  const anyHandle: TaskHandle = task;
  const handles: TaskHandle<TaskTypes>[] = [anyHandle];
  const batch: BatchHandle = await loose.batch("whatever", [1, "two", null]);
  const [member] = await batch.result;
  const stillUnknown: Expect<Equal<typeof member, PromiseSettledResult<unknown> | undefined>> =
    true;
  return [isUnknown, handles, stillUnknown];
}
