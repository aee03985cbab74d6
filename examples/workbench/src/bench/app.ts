import { invoke } from "@tauri-apps/api/core";

/** Returns the names of the rows to measure. */
export const rows = (): Promise<string[]> => invoke("rows");

/** Prints what the page is doing, on the app's standard error. */
export const note = (text: string): Promise<void> => invoke("note", { text });

/** Passes the measurements to the app, and quits it. */
export const done = (measured: string): Promise<void> => invoke("done", { measured });

/** Prints what went wrong, and quits the app. */
export const failed = (message: string): Promise<void> => invoke("failed", { message });

/** The memory and processor time that the app and WebKit's processes used. */
export interface Taken {
  /** Memory of all of them that is no mapped file, in MiB: before, and the peak since then. */
  readonly beforeMib: number;
  readonly peakMib: number;
  readonly appPeakMib: number;
  readonly pagePeakMib: number;
  /** Processor time in seconds. */
  readonly appCpu: number;
  readonly pageCpu: number;
}

/** Watches the processes until the function that it resolves with is called. */
export async function watchProcesses(): Promise<() => Promise<Taken>> {
  await invoke("watch_processes");
  return () => invoke("processes");
}
