import { fileName } from "./format";
import type { Words } from "./handles";
import {
  downloaded,
  downloadProblem,
  folderProblem,
  hashed,
  jobProblem,
  tailed,
  tailProblem,
  worked,
} from "./sentences";
import type { DownloadInput, HashFolderInput, TailInput, Tasks } from "./tasks.gen";

// The words for the tasks of each kind.

export const downloadWords = (input: DownloadInput | null): Words<Tasks["download"]> => ({
  label: input === null ? "Download" : `Download of ${fileName(input.dest)}`,
  done: downloaded,
  failed: downloadProblem,
});

export const hashWords = (input: HashFolderInput | null): Words<Tasks["hash-folder"]> => ({
  label: input === null ? "Hash" : `Hash of ${fileName(input.path)}`,
  done: hashed,
  failed: folderProblem,
});

export const jobWords = (): Words<Tasks["job"]> => ({
  label: "Job",
  done: worked,
  failed: jobProblem,
});

export const tailWords = (input: TailInput | null): Words<Tasks["tail"]> => ({
  label: input === null ? "Tail" : `Tail of ${fileName(input.path)}`,
  done: tailed,
  failed: tailProblem,
});
