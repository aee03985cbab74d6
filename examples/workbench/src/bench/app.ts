import { invoke } from "@tauri-apps/api/core";

/** Which rows to measure. */
export const rows = (): Promise<string[]> => invoke("rows");

/** Says on the app's standard error what the page is at. */
export const note = (text: string): Promise<void> => invoke("note", { text });

/** Hands over what was measured, and quits. */
export const done = (measured: string): Promise<void> => invoke("done", { measured });

/** Says what is wrong, and quits. */
export const failed = (message: string): Promise<void> => invoke("failed", { message });

/** What the app and WebKit's processes took. */
export interface Taken {
  /** Memory of all together that is no mapped file, before and the most of it since, in MiB. */
  readonly beforeMib: number;
  readonly peakMib: number;
  readonly appPeakMib: number;
  readonly pagePeakMib: number;
  /** Seconds of a processor. */
  readonly appCpu: number;
  readonly pageCpu: number;
}

/** Watches the processes from here until the function it resolves with is called. */
export async function watchProcesses(): Promise<() => Promise<Taken>> {
  await invoke("watch_processes");
  return () => invoke("processes");
}
