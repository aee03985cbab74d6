// What must not compile. `npm run typecheck` fails if one of these is accepted.
import { createTasks, TaskFailedError, type TaskMap } from "tauri-plugin-tasks-api";
import type { Tasks } from "./tasks.gen.js";

const tasks = createTasks<Tasks>();

export async function start() {
  // @ts-expect-error no such kind
  await tasks.start("downlaod", { url: "" });
  // @ts-expect-error the input is missing
  await tasks.start("download");
  // @ts-expect-error null is no input
  await tasks.start("download", null);
  // @ts-expect-error `url` is missing
  await tasks.start("download", {});
  // @ts-expect-error `url` is a string
  await tasks.start("download", { url: 5 });
  // @ts-expect-error there is no `retries`
  await tasks.start("download", { url: "", retries: 1 });
  // @ts-expect-error exactOptionalPropertyTypes: left out or a number
  await tasks.start("download", { url: "", maxRetries: undefined });
  // @ts-expect-error the input is a string
  await tasks.start("hash-folder", { path: "/tmp" });
  // @ts-expect-error this kind takes no input
  await tasks.start("tick", { url: "" });
  // @ts-expect-error options come after the input
  await tasks.start("tick", { signal: AbortSignal.abort() });
  // @ts-expect-error there is no such option
  await tasks.start("tick", null, { timeout: 5 });
  // @ts-expect-error a controller is not its signal
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
  // @ts-expect-error there is an output only when it completed
  outcome.output;
  // @ts-expect-error there is no error when it completed
  if (outcome.status === "completed") outcome.error;
  if (outcome.status === "failed" && outcome.error instanceof TaskFailedError) {
    // @ts-expect-error the error has no such case
    if (outcome.error.error.type === "disk") return output;
  }
  return output;
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
  // @ts-expect-error there is nothing else to filter by
  await tasks.list({ owner: "main" });
  // @ts-expect-error no such kind
  await tasks.watch({ task: "downlaod" }, () => {});
  // @ts-expect-error a callback is needed
  await tasks.watch({ task: "download" });
}

export function caught(error: unknown) {
  // @ts-expect-error after a catch the handler's error is unknown
  if (error instanceof TaskFailedError) error.error.type;
}

// @ts-expect-error a kind needs all its types
export type Incomplete = Check<{ tick: { input: null; output: number } }>;
type Check<M extends TaskMap> = M;
