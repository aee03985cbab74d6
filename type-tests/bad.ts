// Uses that must not compile. `npm run typecheck` fails if one of them does.
import {
  createTasks,
  TaskFailedError,
  type TaskHandle,
  type TaskMap,
} from "tauri-plugin-tasks-api";
import type { Tasks } from "./tasks.gen.js";

const tasks = createTasks<Tasks>();

export async function start() {
  // @ts-expect-error no such kind
  await tasks.start("downlaod", { url: "" });
  // @ts-expect-error the input is missing
  await tasks.start("download");
  // @ts-expect-error null is not an input of this kind
  await tasks.start("download", null);
  // @ts-expect-error `url` is missing
  await tasks.start("download", {});
  // @ts-expect-error `url` is a string
  await tasks.start("download", { url: 5 });
  // @ts-expect-error the input has no field `retries`
  await tasks.start("download", { url: "", retries: 1 });
  // @ts-expect-error exactOptionalPropertyTypes: the field is a number or left out, not undefined
  await tasks.start("download", { url: "", maxRetries: undefined });
  // @ts-expect-error the input is a string
  await tasks.start("hash-folder", { path: "/tmp" });
  // @ts-expect-error this kind takes no input
  await tasks.start("tick", { url: "" });
  // @ts-expect-error options come after the input
  await tasks.start("tick", { signal: AbortSignal.abort() });
  // @ts-expect-error there is no such option
  await tasks.start("tick", null, { timeout: 5 });
  // @ts-expect-error there is no such `onConflict`
  await tasks.start("tick", null, { key: "k", onConflict: "keep" });
  // @ts-expect-error tags are a list
  await tasks.start("tick", null, { tags: "sync" });
  // @ts-expect-error `concurrency` is an option of a batch
  await tasks.start("tick", null, { concurrency: 2 });
  // @ts-expect-error a controller is not a signal
  await tasks.start("tick", null, { signal: new AbortController() });
}

export async function handle() {
  const task = await tasks.start("download", { url: "" });
  // @ts-expect-error the output is a string
  const output: number = await task.result;
  task.onProgress((progress) => {
    // @ts-expect-error the detail may be null
    progress.detail.phase;
    // @ts-expect-error `file` exists only while receiving
    progress.detail?.file;
    // @ts-expect-error there is no such field
    progress.percent;
    // @ts-expect-error the total may be unknown
    progress.completed / progress.total;
  });
  // @ts-expect-error the status can't be set
  task.status = "completed";
  // @ts-expect-error no such status
  if (task.status === "done") return output;
  const outcome = await task.outcome;
  // @ts-expect-error there is an output only if the task completed
  outcome.output;
  // @ts-expect-error there is no error if the task completed
  if (outcome.status === "completed") outcome.error;
  if (outcome.status === "failed" && outcome.error instanceof TaskFailedError) {
    // @ts-expect-error the error has no such case
    if (outcome.error.error.type === "disk") return output;
  }
  return output;
}

export async function batch() {
  // @ts-expect-error inputs are a list
  await tasks.batch("download", { url: "" });
  // @ts-expect-error a member's input is wrong
  await tasks.batch("download", [{ url: "" }, { url: 5 }]);
  // @ts-expect-error undefined is not an input of this kind
  await tasks.batch("tick", [undefined]);
  // @ts-expect-error no such kind
  await tasks.batch("downlaod", []);
  // @ts-expect-error members have no key
  await tasks.batch("download", [], { key: "k" });
  const batch = await tasks.batch("download", [{ url: "" }]);
  // @ts-expect-error the result is a list
  const path: string = await batch.result;
  const [first] = await batch.result;
  // @ts-expect-error the member may be undefined
  first.status;
  // @ts-expect-error there is a value only if the result is fulfilled
  first?.value;
  // @ts-expect-error members are rerun, not the batch
  await batch.rerun();
  const outcome = await batch.outcome;
  if (outcome.status === "completed") {
    // @ts-expect-error the output is a list, with one outcome for each member
    outcome.output.status;
  }
  // @ts-expect-error a batch handle is not a task handle
  const task: TaskHandle<Tasks["download"]> = batch;
  return [path, task];
}

export async function queue() {
  const task = await tasks.start("tick");
  // @ts-expect-error the place may be null
  task.onQueue((place) => place.position);
  // @ts-expect-error a priority is a number
  await task.setPriority("high");
  // @ts-expect-error a query is needed
  await tasks.cancelAll();
  // @ts-expect-error an empty query would cancel all tasks
  await tasks.cancelAll({});
  // @ts-expect-error a field that may be undefined would cancel all tasks
  await tasks.cancelAll({ tag: task.snapshot.tags.at(0) });
  // @ts-expect-error a field that may be undefined is refused, even beside another one
  await tasks.cancelAll({ tag: "a", key: task.snapshot.tags.at(0) });
  // @ts-expect-error a field that is undefined is refused, too
  await tasks.cancelAll({ tag: "a", key: undefined });
  // @ts-expect-error no such field, even beside another one
  await tasks.cancelAll({ tag: "a", tags: "b" });
  // @ts-expect-error no such status
  await tasks.cancelAll({ status: ["done"] });
  // @ts-expect-error all is only ever true
  await tasks.cancelAll({ all: false });
  // @ts-expect-error all tasks or some
  await tasks.cancelAll({ all: true, tag: "a" });
  // @ts-expect-error no such field
  await tasks.cancelAll({ tags: "a" });
  // @ts-expect-error no such kind
  await tasks.cancelAll({ task: "tik" });
  // @ts-expect-error the name of the kind is missing
  await tasks.setLimit({ type: "task" }, 1);
  // @ts-expect-error the limit is missing: no limit is an explicit null
  await tasks.setLimit({ type: "app" });
  // @ts-expect-error the name of the kind is missing
  await tasks.rerun(task.id);
}

export async function items() {
  const task = await tasks.start("hash-folder", "/tmp");
  for await (const digest of task.items()) {
    // @ts-expect-error an item has no such field
    digest.size;
  }
  for await (const digests of task.chunks()) {
    // @ts-expect-error the item may be undefined
    digests[0].hash;
  }
  // @ts-expect-error this kind emits no bytes
  task.bytes();
  // @ts-expect-error the position is read-only
  task.items().position = 5;
  // @ts-expect-error the items are not bytes
  const stream: ReadableStream<Uint8Array> = task.stream();
  for await (const digest of task.stream()) {
    // @ts-expect-error an item has no such field
    digest.size;
  }
  // @ts-expect-error no such option
  task.stream().values({ preventClose: true });
  // @ts-expect-error what the platform makes of it can't be iterated everywhere
  for await (const digest of task.stream().tee()[0]) void digest;
  const tick = await tasks.start("tick");
  // @ts-expect-error this kind emits nothing
  tick.bytes();
  const cat = await tasks.start("cat", "/tmp/a");
  for await (const chunk of cat.bytes()) {
    // @ts-expect-error a chunk is bytes, not text
    chunk.trim();
  }
  for await (const item of cat.items()) {
    // @ts-expect-error a kind that emits bytes has no other items
    item.length;
  }
  const batch = await tasks.batch("hash-folder", ["/tmp"]);
  // @ts-expect-error the members emit, not the batch
  batch.items();
  // @ts-expect-error `from` is a number
  await tasks.attach("hash-folder", "id", { from: "5" });
  // @ts-expect-error no such kind
  await tasks.attachAll({ task: "downlaod" });
  return stream;
}

export async function letGo() {
  const task = await tasks.start("tick");
  // @ts-expect-error a reason is words
  await task.cancel(5);
  // @ts-expect-error a reason is words, or left out
  await task.cancel(null);
  // @ts-expect-error the signal is a field of the options
  await task.rerun(new AbortController().signal);
  // @ts-expect-error a rerun takes over the options of the start
  await task.rerun({ priority: 1 });
  // @ts-expect-error a controller is not a signal
  await tasks.rerun("tick", "id", { signal: new AbortController() });
  // @ts-expect-error there are no items to begin with
  await tasks.attachBatch("tick", "id", { from: 1 });
  // @ts-expect-error each task has its own position
  await tasks.attachAll({ task: "tick" }, { from: 1 });
  // @ts-expect-error a cancel takes time: `await using`
  using handle = task;
  return handle;
}

export async function find() {
  // @ts-expect-error no such kind
  await tasks.attach("downlaod", "id");
  // @ts-expect-error an id is needed
  await tasks.attach("download");
  // @ts-expect-error no such kind
  await tasks.list({ task: "downlaod" });
  // @ts-expect-error no such kind among them
  await tasks.list({ task: ["download", "tik"] });
  // @ts-expect-error no such status
  await tasks.list({ status: "done" });
  // @ts-expect-error no such status among them
  await tasks.list({ status: ["running", "done"] });
  // @ts-expect-error a query has no field `owner`
  await tasks.list({ owner: "main" });
  // @ts-expect-error no such kind
  await tasks.watch({ task: "downlaod" }, () => {});
  // @ts-expect-error a callback is needed
  await tasks.watch({ task: "download" });
}

export function caught(error: unknown) {
  // @ts-expect-error in a catch, the handler's error is unknown
  if (error instanceof TaskFailedError) error.error.type;
}

// @ts-expect-error a kind must have all five types
export type Incomplete = Check<{ tick: { input: null; output: number } }>;
type Check<M extends TaskMap> = M;
