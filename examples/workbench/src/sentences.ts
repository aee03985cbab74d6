import {
  type CancelReason,
  type LastRun,
  OutcomeExpiredError,
  type ScheduleSnapshot,
  type SnapshotFor,
  TaskCancelledError,
  type TaskCounts,
  type TaskStatus,
  TaskTimedOutError,
  type TimeLimit,
} from "tauri-plugin-tasks-api";
import type { AnySnapshot, Snapshot } from "./client";
import { bytes, clock, duration, elapsed, fileName, ordinal, plural, until } from "./format";
import type {
  DownloadError,
  Downloaded,
  DownloadInput,
  Failure,
  FolderHash,
  JobError,
  JobOutcome,
  JobReport,
  TailDetail,
  TailError,
  Tasks,
} from "./tasks.gen";

/**
 * Turns an error message into a sentence, with a capital letter and a full stop. Messages have neither, so that they
 * can be combined.
 */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const end = /[.!?…]$/.test(trimmed) ? "" : ".";
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + end;
}

/** Describes anything that was thrown, as a sentence. */
export function errorSentence(error: unknown): string {
  if (error instanceof TaskCancelledError) {
    return cancelSentence(error.reason);
  }
  if (error instanceof TaskTimedOutError) {
    return limitSentence(error.limit);
  }
  return sentence(error instanceof Error ? error.message : String(error));
}

/** Whether the task was taken off the list before its outcome was read: nobody waits for it any more. */
export const isForgotten = (error: unknown): boolean => error instanceof OutcomeExpiredError;

export function cancelSentence(reason: CancelReason | null): string {
  switch (reason) {
    case "ownerClosed":
      return "Cancelled, because its window was closed.";
    case "shutdown":
      return "Cancelled, because the app quits.";
    case "parent":
      return "Cancelled with the task it belongs to.";
    case "unread":
      return "Cancelled, because nobody reads its items any more.";
    case "replaced":
      return "Cancelled, because another one took its place.";
    default:
      return "Cancelled.";
  }
}

export function limitSentence(limit: TimeLimit): string {
  switch (limit) {
    case "attemptTimeout":
      return "One attempt took longer than allowed, and was stopped.";
    case "stalled":
      return "It stalled: it made no progress for too long, and was stopped.";
    case "deadline":
      return "It was not done by its deadline.";
    default:
      return "It took longer than allowed, and was stopped.";
  }
}

/** When the schedule runs next. If that time has passed, the run is about to start. */
export function syncNext({ paused, running, nextRunAt }: ScheduleSnapshot): string {
  if (running > 0) {
    return "Running";
  }
  if (paused) {
    return "Paused";
  }
  return nextRunAt === null || nextRunAt <= Date.now() ? "Due" : `Next in ${until(nextRunAt)}`;
}

/** How the schedule's last run went. */
export function syncLast(run: LastRun | null): string {
  if (run === null) {
    return "Has not run yet";
  }
  if (run.endedAt === null) {
    return `since ${clock(run.startedAt)}`;
  }
  const how = run.error === null ? statusName(run.status, false).toLowerCase() : run.error.message;
  return `${how} ${elapsed(run.endedAt)} ago`;
}

/** What the watcher sees, or why it doesn't. */
export function watched(service: SnapshotFor<Tasks, "watcher">): string {
  const { detail } = service.progress;
  if (service.error !== null) {
    return sentence(service.error.message);
  }
  if (detail === null) {
    return "";
  }
  const last = detail.last === null ? "" : `, ${detail.last} last`;
  return `${plural(detail.changes, "change")} in ${detail.folder}${last}`;
}

export const quitTitle = (tasks: number, decided: boolean): string =>
  decided
    ? `Quitting when ${them(tasks)} done`
    : `${plural(tasks, "task")} ${tasks === 1 ? "is" : "are"} not done`;

const them = (tasks: number): string =>
  tasks === 1 ? "this is" : tasks === 0 ? "all is" : `these ${tasks} are`;

export const quitHint = (decided: boolean): string =>
  decided
    ? "Nothing new starts any more. You can close the window: the app keeps running until then."
    : "If you quit now, what they have done so far is lost.";

/** A task that a quit would cut short. */
export function quitLine(task: AnySnapshot, done: string): string {
  const { short } = subject(task);
  const parts = [
    kindName(task),
    short,
    done || statusName(task.status, task.overdue).toLowerCase(),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

const KINDS: Readonly<Record<AnySnapshot["task"], string>> = {
  download: "Download",
  "hash-folder": "Folder hash",
  job: "Job",
  tail: "Log tail",
  secret: "Secret",
  sync: "Sync",
  watcher: "Watcher",
  numbers: "Number stream",
  "numbers-dropped": "Number stream",
  "numbers-cancelled": "Number stream",
  noise: "Noise stream",
};

/** `Download`, and for a batch `8 downloads`. */
export const kindName = ({ task, members }: AnySnapshot): string =>
  members === null ? KINDS[task] : batchName(task, members);

function batchName(task: AnySnapshot["task"], members: number): string {
  const one = KINDS[task].toLowerCase();
  return plural(members, one, one.endsWith("h") ? `${one}es` : `${one}s`);
}

const JOBS: Readonly<Record<JobOutcome, string>> = {
  succeed: "succeeds",
  fail: "fails halfway",
  panic: "panics halfway",
  hang: "hangs",
  stubborn: "ignores a cancel",
  hold: "holds its thread",
};

/** What a task works on, in short and in full. */
export interface Subject {
  readonly short: string;
  readonly full: string;
}

export function subject({ task, input, label }: AnySnapshot): Subject {
  if (label !== null) {
    return { short: label, full: label };
  }
  // Only a kind registered with `show_input` has one here.
  if (input === null) {
    return NOTHING;
  }
  switch (task) {
    case "tail":
      return { short: input.path, full: input.path };
    case "download":
      return {
        short: `${fileName(input.dest)} from ${host(input.url)}`,
        full: `${input.url} to ${input.dest}`,
      };
    case "hash-folder":
      return { short: input.path, full: input.path };
    case "job": {
      const time = input.outcome === "hang" ? "" : `, ${duration(input.seconds * 1000)}`;
      const text = JOBS[input.outcome] + time;
      return { short: text, full: text };
    }
    default:
      return NOTHING;
  }
}

const NOTHING: Subject = { short: "", full: "" };

function host(url: string): string {
  try {
    return new URL(url).host || url;
  } catch {
    return url;
  }
}

export function statusName(status: TaskStatus, overdue: boolean): string {
  switch (status) {
    case "queued":
      return "Queued";
    case "running":
      return "Running";
    case "retrying":
      return "Retrying";
    case "cancelling":
      return overdue ? "Overdue" : "Cancelling";
    case "completed":
      return "Completed";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled";
    case "timedOut":
      return "Timed out";
    default:
      return status;
  }
}

/** The place of a waiting task in its queue. */
export function place({ status, queue, nextAttemptAt }: Snapshot): string {
  if (status !== "queued" || queue === null) {
    return "";
  }
  if (queue.held) {
    return "held";
  }
  if (queue.position !== null) {
    return queue.position < LAST_PLACE
      ? `${ordinal(queue.position)} in line`
      : `${ordinal(LAST_PLACE)} in line or later`;
  }
  return nextAttemptAt === null ? "after another one" : `waits until ${clock(nextAttemptAt)}`;
}

/** The plugin counts places only up to this one. */
const LAST_PLACE = 1000;

export const priority = ({ queue }: Snapshot): string =>
  queue === null || queue.priority === 0 ? "" : `priority ${queue.priority}`;

/** Which attempt it is, and when the next one comes. */
export function attempts({ status, attempt, nextAttemptAt }: Snapshot): string {
  if (status === "retrying" && nextAttemptAt !== null) {
    return nextAttemptAt > Date.now()
      ? `attempt ${attempt} failed, next in ${until(nextAttemptAt)}`
      : `attempt ${attempt} failed, next is due`;
  }
  if (status === "queued") {
    return attempt > 0 ? `attempt ${attempt} failed` : "";
  }
  return attempt > 1 ? `attempt ${attempt}` : "";
}

/** What went wrong, if the list's snapshot says so; the error of a failed task has to be fetched. */
export function problem({ status, error, timeLimit }: Snapshot): string {
  if (status === "retrying") {
    return error === null ? "" : sentence(error.message);
  }
  return status === "timedOut" && timeLimit !== null ? limitSentence(timeLimit) : "";
}

/** What a card says about a task besides its figures. */
export function remark(snapshot: Snapshot): string {
  switch (snapshot.status) {
    case "cancelling":
      return snapshot.overdue
        ? "Cancelled, but its code has not stopped: it takes up a slot until it returns"
        : "Stopping…";
    case "cancelled":
      return cancelSentence(snapshot.cancelReason);
    case "running":
      return doing(snapshot);
    default:
      return "";
  }
}

function doing(snapshot: Snapshot): string {
  if (snapshot.task === "tail") {
    return snapshot.progress.detail === null ? "" : tailing(snapshot.progress.detail);
  }
  if (snapshot.task !== "download") {
    return snapshot.progress.message ?? "";
  }
  switch (snapshot.progress.detail) {
    case "connecting":
      return "Waiting for the server";
    case "receiving":
      return "Receiving";
    case "saving":
      return "Saving";
    case null:
      return "";
  }
}

/** The sentence for a typed error: Rust sends the type, the page has the words. */
export function downloadProblem(error: DownloadError): string {
  switch (error.type) {
    case "url":
      return `${error.data === "" ? "Nothing" : error.data} is not an address to download from: it has to start with http:// or https://.`;
    case "path":
      return `${error.data === "" ? "Nothing" : error.data} is not the full path of a file: it has to begin at the root and end with a name.`;
    case "noFolder":
      return `There is no folder ${error.data}: create it first, or choose another one.`;
    case "exists":
      return `There is already something at ${error.data}: choose another name, or move it away first.`;
    case "http":
      return error.data < 500
        ? `The server answered with status ${error.data} instead of the file: check the address.`
        : `The server answered with status ${error.data} instead of the file: try again later.`;
    case "network":
      return `The server could not be reached, or the connection broke (${error.data}): check the address and the network, then try again.`;
    case "io":
      return `The file could not be written (${error.data}): check the folder's permissions and the free space.`;
  }
}

export const folderProblem = ({ message, causes }: Failure): string =>
  sentence([message, ...causes].join(": "));

export function jobProblem(error: JobError): string {
  switch (error.type) {
    case "asTold":
      return `It stopped at tick ${error.data.at} of ${error.data.of}, as it was told.`;
    case "seconds":
      return "A job takes between 0 and 86,400 seconds: choose a number in that range.";
  }
}

function tailing({ lines, rotations, state }: TailDetail): string {
  const rotated = rotations === 0 ? "" : `, rotated ${plural(rotations, "time")}`;
  const doing: Record<TailDetail["state"], string> = {
    reading: "",
    waiting: ", waits for more",
    missing: ", waits for a file with this name",
  };
  return linesIn(lines) + rotated + doing[state];
}

export function tailProblem(error: TailError): string {
  switch (error.type) {
    case "noFile":
      return `There is no file ${error.data}: check the path.`;
    case "notAFile":
      return `${error.data} is not a file: choose a log file.`;
    case "io":
      return `The file could not be read (${error.data}): check its permissions, then try again.`;
  }
}

/** The sentence for the output of a tail. A tail never completes, so there is none. */
export const tailed = (output: never): never => output;

export const linesIn = (lines: number): string => plural(lines, "line");

export const linesPerSecond = (lines: number): string => `${linesIn(lines)}/s`;

export const linesShown = (lines: number): string => `showing the last ${linesIn(lines)}`;

export const linesBefore = (lines: number): string =>
  `${plural(lines, "earlier line")} ${lines === 1 ? "was" : "were"} shown before the page was loaded anew`;

export const linesMissed = (lines: number): string =>
  `${plural(lines, "line")} ${lines === 1 ? "was" : "were"} dropped before this page could read ${lines === 1 ? "it" : "them"}`;

export const logStatus = ({
  paused,
  over,
}: {
  readonly paused: boolean;
  readonly over: boolean;
}): string => (over ? "Ended" : paused ? "Paused" : "Live");

/** The counts above the list. A task that waits for its next attempt counts as waiting. */
export const inAllWindows = ({ running, retrying, queued }: TaskCounts): string =>
  `${running} running, ${retrying + queued} waiting`;

/** What a batch of downloads is called: `8 files from example.org`. */
export function batchLabel(inputs: readonly DownloadInput[]): string {
  const hosts = new Set(inputs.map(({ url }) => host(url)));
  const [first = "nowhere"] = hosts;
  const from = hosts.size > 1 ? plural(hosts.size, "server") : first;
  return `${plural(inputs.length, "file")} from ${from}`;
}

export const onTheirWay = (downloads: number): string =>
  `${plural(downloads, "download")} ${downloads === 1 ? "is" : "are"} on the way.`;

export const stopping = (tasks: number): string =>
  tasks === 0 ? "There was nothing to cancel." : `${plural(tasks, "task")} told to stop.`;

export function batchDone(label: string, done: number, all: number): string {
  const failed = all - done;
  return failed === 0
    ? `${label}: all are there.`
    : `${label}: ${done} of ${all} are there, ${failed} ${failed === 1 ? "is" : "are"} not.`;
}

const STATUSES: readonly TaskStatus[] = [
  "completed",
  "running",
  "retrying",
  "queued",
  "cancelling",
  "failed",
  "timedOut",
  "cancelled",
];

/** How many members of a batch have which status: `3 of 8 completed, 2 running, 3 queued`. */
export function tally(members: readonly Snapshot[], all: number): string {
  const parts = STATUSES.map((status) => {
    const count = members.filter((member) => member.status === status).length;
    if (status === "completed") {
      return `${count} of ${all} completed`;
    }
    return count === 0 ? "" : `${count} ${statusName(status, false).toLowerCase()}`;
  });
  return parts.filter((part) => part !== "").join(", ");
}

/** A member in a few words: its file, its status, and what is wrong with it. */
export function memberLine(member: Snapshot): string {
  const name = memberName(member);
  const status = statusName(member.status, member.overdue).toLowerCase();
  const wrong = memberProblem(member);
  return wrong === "" ? `${name}: ${status}` : `${name}: ${status}. ${wrong}`;
}

export const memberName = (member: Snapshot): string =>
  member.task === "download" && member.input !== null
    ? fileName(member.input.dest)
    : subject(member).short;

const memberProblem = (member: Snapshot): string =>
  problem(member) || (member.error === null ? "" : sentence(member.error.message));

/** What went wrong in a batch: the first few failed members, each in a sentence. */
export function batchProblem(members: readonly Snapshot[]): string {
  const wrong = members.filter(({ status }) => status === "failed" || status === "timedOut");
  const told = wrong.slice(0, TOLD).map((one) => `${memberName(one)}: ${memberProblem(one)}`);
  return wrong.length > TOLD
    ? `${told.join(" ")} And ${wrong.length - TOLD} more.`
    : told.join(" ");
}

const TOLD = 3;

const shortHash = (hash: string): string => `${hash.slice(0, 12)}…`;

export const downloaded = (output: Downloaded): string =>
  `Saved ${output.path}: ${bytes(output.bytes)}, BLAKE3 ${shortHash(output.blake3)}`;

export function hashed(output: FolderHash): string {
  const files = `${output.files.toLocaleString("en")} ${output.files === 1 ? "file" : "files"}`;
  const skipped =
    output.skipped === 0 ? "" : `, ${output.skipped.toLocaleString("en")} unreadable skipped`;
  const time = duration(output.seconds * 1000);
  return `Hashed ${files} (${bytes(output.bytes)}${skipped}) in ${time}: BLAKE3 ${shortHash(output.hash)}`;
}

export const worked = (output: JobReport): string =>
  `The job counted ${output.ticks.toLocaleString("en")} ${output.ticks === 1 ? "tick" : "ticks"} and is done.`;
