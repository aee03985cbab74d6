import {
  type CancelReason,
  OutcomeExpiredError,
  TaskCancelledError,
  type TaskStatus,
} from "tauri-plugin-tasks-api";
import type { Snapshot } from "./client";
import { bytes, duration, fileName } from "./format";
import type {
  DownloadError,
  Downloaded,
  Failure,
  FolderHash,
  JobError,
  JobOutcome,
  JobReport,
} from "./tasks.gen";

/** Messages of errors begin in lower case and have no full stop, so that they can be put together. On their own they need both. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const end = /[.!?…]$/.test(trimmed) ? "" : ".";
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + end;
}

/** Whatever was thrown, as a sentence. */
export function errorSentence(error: unknown): string {
  if (error instanceof TaskCancelledError) {
    return cancelSentence(error.reason);
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
    case "replaced":
      return "Cancelled, because another one took its place.";
    case "user":
    case "signal":
    case null:
      return "Cancelled.";
  }
}

const KINDS: Readonly<Record<Snapshot["task"], string>> = {
  download: "Download",
  "hash-folder": "Folder hash",
  job: "Job",
  secret: "Secret",
};

export const kindName = (task: Snapshot["task"]): string => KINDS[task];

const JOBS: Readonly<Record<JobOutcome, string>> = {
  succeed: "succeeds",
  fail: "fails halfway",
  panic: "panics halfway",
  hang: "hangs",
  stubborn: "ignores a cancel",
};

/** What a task works on, in short and in full. */
export interface Subject {
  readonly short: string;
  readonly full: string;
}

export function subject({ task, input }: Snapshot): Subject {
  // Only a kind registered with `show_input` has one here, and `secret` takes none.
  if (input === null) {
    return { short: "", full: "" };
  }
  switch (task) {
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
  }
}

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
  }
}

/** What there is to know about a task besides its figures. */
export function remark(snapshot: Snapshot): string {
  switch (snapshot.status) {
    case "cancelling":
      return snapshot.overdue
        ? "Cancelled, but its code does not stop: it holds its place until it returns"
        : "Stopping…";
    case "cancelled":
      return cancelSentence(snapshot.cancelReason);
    case "running":
    case "retrying":
      return doing(snapshot);
    case "queued":
    case "completed":
    case "failed":
    case "timedOut":
      return "";
  }
}

function doing(snapshot: Snapshot): string {
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

/** The Rust side says what went wrong as a type; the words are the page's. */
export function downloadProblem(error: DownloadError): string {
  switch (error.type) {
    case "url":
      return `${error.data === "" ? "Nothing" : error.data} is not an address to download from: it has to start with http:// or https://.`;
    case "path":
      return `${error.data === "" ? "Nothing" : error.data} is not the full path of a file: it has to begin at the root and end with a name.`;
    case "noFolder":
      return `There is no folder ${error.data}: make it first, or choose another one.`;
    case "exists":
      return `There is already something at ${error.data}: choose another name, or move it away first.`;
    case "http":
      return `The server answered with status ${error.data} instead of the file: check the address.`;
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
      return `It stopped at tick ${error.data.at} of ${error.data.of}, as it was told to.`;
    case "seconds":
      return "A job takes between 0 and 86,400 seconds: choose a number in that range.";
  }
}

const shortHash = (hash: string): string => `${hash.slice(0, 12)}…`;

export const downloaded = (output: Downloaded): string =>
  `Saved ${output.path}: ${bytes(output.bytes)}, BLAKE3 ${shortHash(output.blake3)}`;

export function hashed(output: FolderHash): string {
  const files = `${output.files.toLocaleString("en")} ${output.files === 1 ? "file" : "files"}`;
  const skipped =
    output.skipped === 0 ? "" : `, ${output.skipped.toLocaleString("en")} unreadable left out`;
  const time = duration(output.seconds * 1000);
  return `Hashed ${files} (${bytes(output.bytes)}${skipped}) in ${time}: BLAKE3 ${shortHash(output.hash)}`;
}

export const worked = (output: JobReport): string =>
  `The job counted ${output.ticks.toLocaleString("en")} ${output.ticks === 1 ? "tick" : "ticks"} and is done.`;
